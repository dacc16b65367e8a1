// Reads a model's options from JSON, collecting everything that is wrong before it throws once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace bitsweep::nn {

class OptionReader {
 public:
  // defaults: of options that came later, where they are not among `options` (plugin/describe.h).
  explicit OptionReader(const json::object& options, json::object defaults = {})
      : options_(options), defaults_(std::move(defaults)) {}

  bool has(std::string_view name) const;  // present and not null
  // The value, that of the defaults, or `otherwise` when it is absent or wrong (and then a diagnostic is kept). Ranges
  // are inclusive.
  int64_t integer(std::string_view name, int64_t otherwise, int64_t min, int64_t max);
  double number(std::string_view name, double otherwise, double min, double max);
  bool boolean(std::string_view name, bool otherwise);
  // One of `choices`.
  std::string choice(std::string_view name, std::string_view otherwise, const std::vector<std::string>& choices);

  // A list of integers, ascending and without repetition.
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> otherwise, int64_t min, int64_t max);

  // A size, as a number or as text ("5.5M").
  double size(std::string_view name, double otherwise, double min, double max);

  // Every option asked for so far with its value, in that order: what a description answers with. A size is not among
  // them; resolve() puts a value that follows from others there, leave_out() takes one away.
  const json::object& resolved() const { return resolved_; }
  void resolve(std::string_view name, json::value value);
  void leave_out(std::string_view name);
  // Of options that came after runs were made, `absent` the value of plugin.yaml that models without them have: takes
  // one away, so that runs of before keep their ids; leave_out_at only where it has that value.
  void imply(std::string_view name, const json::value& absent);
  void leave_out_at(std::string_view name, const json::value& absent);
  const json::object& implied() const { return implied_; }

  void add_problem(std::string message);
  bool good() const { return problems_.empty(); }
  // Throws Error{input} with all problems, an option that was never asked for included.
  void finish();

 private:
  const json::value* find(std::string_view name);
  template <class T>
  T keep(std::string_view name, T value);

  const json::object& options_;
  const json::object defaults_;
  std::vector<std::string> asked_;
  json::object resolved_, implied_;
  std::vector<Diagnostic> problems_;
};

}  // namespace bitsweep::nn
