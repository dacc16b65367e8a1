// Reads the values of a config.json, collecting everything that is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace bitsweep::weights {

class ConfigValues {
 public:
  static constexpr int64_t kLargestCount = 1'000'000'000;

  // `path`: of the object within the file, "" or "rope_parameters.". All must outlive this.
  ConfigValues(const json::object& object, std::string file, std::string path, std::vector<Diagnostic>& wrong)
      : object_(object), file_(std::move(file)), path_(std::move(path)), wrong_(wrong) {}

  bool has(std::string_view key) const;  // present and not null
  // A whole number from 1 to `most`. Where there is nothing to go by without it, its absence is a finding.
  int64_t needed_count(std::string_view key, int64_t most = kLargestCount);
  int64_t count(std::string_view key, int64_t otherwise, int64_t most = kLargestCount);
  // Above 0.
  double number(std::string_view key, double otherwise);
  bool boolean(std::string_view key, bool otherwise);
  // One of `words`.
  std::string word(std::string_view key, std::string_view otherwise, const std::vector<std::string>& words);
  // Refuses any other value than `only`; absent and null are `otherwise`.
  void expect(std::string_view key, const json::value& only, const json::value& otherwise, std::string_view why);
  // The object below the key; null where there is none.
  const json::object* object(std::string_view key);
  // Each key that is none of `known`.
  void only(const std::vector<std::string>& known, std::string_view why);

  void add(std::string_view key, std::string_view what);

 private:
  const json::value* find(std::string_view key) const;

  const json::object& object_;
  std::string file_, path_;
  std::vector<Diagnostic>& wrong_;
};

}  // namespace bitsweep::weights
