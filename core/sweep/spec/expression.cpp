#include "spec/expression.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "spec/expression_functions.h"

namespace bitsweep::spec {
namespace {

using Arguments = std::span<const double>;

constexpr size_t kMany = 64;
constexpr std::array<ExpressionFunction, 12> kFunctions{{
    {"sqrt", 1, 1, [](Arguments a) { return std::sqrt(a[0]); }},
    {"log", 1, 1, [](Arguments a) { return std::log(a[0]); }},
    {"log2", 1, 1, [](Arguments a) { return std::log2(a[0]); }},
    {"log10", 1, 1, [](Arguments a) { return std::log10(a[0]); }},
    {"exp", 1, 1, [](Arguments a) { return std::exp(a[0]); }},
    {"abs", 1, 1, [](Arguments a) { return std::abs(a[0]); }},
    {"min", 2, kMany, [](Arguments a) { return *std::min_element(a.begin(), a.end()); }},
    {"max", 2, kMany, [](Arguments a) { return *std::max_element(a.begin(), a.end()); }},
    {"round", 1, 1, [](Arguments a) { return std::round(a[0]); }},
    {"floor", 1, 1, [](Arguments a) { return std::floor(a[0]); }},
    {"ceil", 1, 1, [](Arguments a) { return std::ceil(a[0]); }},
    {"pow", 2, 2, [](Arguments a) { return std::pow(a[0], a[1]); }},
}};

const char* type_name(const ExpressionValue& value) {
  return std::holds_alternative<double>(value) ? "a number"
         : std::holds_alternative<bool>(value) ? "true or false"
                                               : "a text";
}

double finite(double value, size_t offset, const std::string& what) {
  if (std::isnan(value)) throw ExpressionError(offset, what + " is not a number");
  if (std::isinf(value)) throw ExpressionError(offset, what + " is not finite");
  return value;
}

double arithmetic(const std::string& symbol, double a, double b, size_t offset) {
  if ((symbol == "/" || symbol == "%") && b == 0) throw ExpressionError(offset, "division by zero");
  const double value = symbol == "+"   ? a + b
                       : symbol == "-" ? a - b
                       : symbol == "*" ? a * b
                       : symbol == "/" ? a / b
                       : symbol == "%" ? a - b * std::floor(a / b)
                                       : std::pow(a, b);
  return finite(value, offset, fmt::format("{} {} {}", a, symbol, b));
}

bool ordered(const std::string& symbol, double a, double b) {
  return symbol == "<" ? a < b : symbol == "<=" ? a <= b : symbol == ">" ? a > b : a >= b;
}

}  // namespace

const ExpressionFunction* find_function(std::string_view name) {
  const auto found = std::find_if(kFunctions.begin(), kFunctions.end(), [&](const auto& f) { return name == f.name; });
  return found == kFunctions.end() ? nullptr : &*found;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const ExpressionFunction& function : kFunctions) names.emplace_back(function.name);
  return names;
}

ExpressionValue Expression::evaluate(const Lookup& lookup) const { return value_of(root_, lookup); }

ExpressionValue Expression::value_of(size_t index, const Lookup& lookup) const {
  const Node& node = nodes_[index];
  switch (node.kind) {
    case Node::Kind::number:
      return node.number;
    case Node::Kind::boolean:
      return node.word == "true";
    case Node::Kind::text:
      return node.word;
    case Node::Kind::call:
      return call(node, lookup);
    case Node::Kind::binary:
      return binary(node, lookup);
    case Node::Kind::unary:
      if (node.word == "not") return !truth_of(node.children[0], lookup);
      return -number_of(node.children[0], lookup);
    case Node::Kind::name:
      break;
  }
  auto value = lookup(node.word);
  if (!value) throw ExpressionError(node.offset, fmt::format("'{}' has no value here", node.word));
  return *std::move(value);
}

double Expression::number_of(size_t index, const Lookup& lookup) const {
  const ExpressionValue value = value_of(index, lookup);
  if (const double* number = std::get_if<double>(&value)) return *number;
  throw ExpressionError(nodes_[index].offset, fmt::format("a number was expected here, this is {}", type_name(value)));
}

bool Expression::truth_of(size_t index, const Lookup& lookup) const {
  const ExpressionValue value = value_of(index, lookup);
  if (const bool* truth = std::get_if<bool>(&value)) return *truth;
  throw ExpressionError(nodes_[index].offset,
                        fmt::format("a condition was expected here, this is {}", type_name(value)));
}

ExpressionValue Expression::binary(const Node& node, const Lookup& lookup) const {
  const auto [left, right] = std::pair{node.children[0], node.children[1]};
  if (node.word == "and") return truth_of(left, lookup) && truth_of(right, lookup);
  if (node.word == "or") return truth_of(left, lookup) || truth_of(right, lookup);
  if (node.word == "==" || node.word == "!=") {
    const ExpressionValue a = value_of(left, lookup), b = value_of(right, lookup);
    if (a.index() != b.index())
      throw ExpressionError(node.offset, fmt::format("{} cannot equal {}", type_name(a), type_name(b)));
    return (a == b) == (node.word == "==");
  }
  const double a = number_of(left, lookup), b = number_of(right, lookup);
  if (node.word[0] == '<' || node.word[0] == '>') return ordered(node.word, a, b);
  return arithmetic(node.word, a, b, node.offset);
}

double Expression::call(const Node& node, const Lookup& lookup) const {
  std::vector<double> arguments;
  for (size_t child : node.children) arguments.push_back(number_of(child, lookup));
  return finite(find_function(node.word)->apply(arguments), node.offset,
                fmt::format("{}({})", node.word, fmt::join(arguments, ", ")));
}

}  // namespace bitsweep::spec
