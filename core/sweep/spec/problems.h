// Collects everything that is wrong with a sweep file, so that it is told at once.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/yaml.h"

namespace bitsweep::spec {

class Problems {
 public:
  // The same finding at the same place is told once. Beyond 100 they are only counted.
  void add(const YamlPlace& place, std::string message);
  bool empty() const { return found_.empty(); }
  // A file that is not there: told with the rest, but with nothing else wrong the sweep's runs are known all the same.
  void add_missing(const YamlPlace& place, const std::string& message) {
    missing_.push_back(place.diagnostic(message));
  }
  std::vector<Diagnostic> take_missing() { return std::exchange(missing_, {}); }
  // More are only counted: whoever would spend time on a good message may spare it.
  bool full() const { return found_.size() >= 100; }
  // Throws Error{input} with all of them, by file and line, when there are any.
  void throw_if_any();

 private:
  std::vector<Diagnostic> found_, missing_;
  std::set<std::string> seen_;
};

}  // namespace bitsweep::spec
