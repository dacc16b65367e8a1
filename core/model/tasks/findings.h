// What is wrong with a file of questions, told at once: of each kind of mistake the first, and how many there are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bitsweep::tasks {

class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}
  // Mistakes of one kind are counted together. `line` from 1; 0: the message says which item.
  void add(const std::string& kind, int64_t line, const std::string& message);
  // A line that is no JSON: why, and from which column.
  void add_no_json(int64_t line, std::string_view text);
  bool empty() const { return tallies_.empty(); }
  // Throws Error{input} when there are any.
  void throw_if_any() const;

 private:
  struct Tally {
    std::string kind;
    Diagnostic first;
    int64_t count = 0;
  };
  std::string file_;
  std::vector<Tally> tallies_;
};

}  // namespace bitsweep::tasks
