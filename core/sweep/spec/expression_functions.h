// The functions an expression may call: one table for the parser and the evaluator.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::spec {

struct ExpressionFunction {
  const char* name;
  size_t least, most;                                  // arguments
  double (*apply)(std::span<const double> arguments);  // may return what is not finite; the caller refuses it
};

const ExpressionFunction* find_function(std::string_view name);  // nullptr: unknown
std::vector<std::string> function_names();

}  // namespace bitsweep::spec
