// Reads a model's options from JSON, collecting everything that is wrong before it throws once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace bitsweep {

class OptionReader {
 public:
  // `model` opens every message: "v57: n_heads: expected …".
  OptionReader(std::string model, const json::object& options) : model_(std::move(model)), options_(options) {}

  bool has(std::string_view name) const;  // present and not null
  // The value, or `otherwise` when it is absent or wrong (and then a diagnostic is kept). Ranges are inclusive.
  int64_t integer(std::string_view name, int64_t otherwise, int64_t min, int64_t max);
  double number(std::string_view name, double otherwise, double min, double max);
  bool boolean(std::string_view name, bool otherwise);
  // One of `choices`.
  std::string choice(std::string_view name, std::string_view otherwise, const std::vector<std::string>& choices);

  // A size, as a number or as text ("5.5M").
  double size(std::string_view name, double otherwise, double min, double max);

  void add_problem(std::string message);
  bool good() const { return problems_.empty(); }
  // Throws Error{input} with all problems, an option that was never asked for included.
  void finish();

 private:
  const json::value* find(std::string_view name);

  std::string model_;
  const json::object& options_;
  std::vector<std::string> asked_;
  std::vector<Diagnostic> problems_;
};

}  // namespace bitsweep
