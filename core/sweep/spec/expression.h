// The small language of where, exclude and derive: arithmetic, comparisons and logic over the dotted names of a run.
//
//   train.batch * train.steps <= 4_000_000 and model.plugin != 'llama'
//   3e-4 * sqrt(train.batch / 64)
//
// Loosest first: or; and; not; == != < <= > >= (not chained); + -; * / %; unary -; ** (binds to the right).
// Numbers take underscores and k, M, B, T. Texts stand in single or double quotes and know == and != alone.
// Functions: sqrt log log2 log10 exp abs min max round floor ceil pow. % has the sign of its right side, as in Python.
// A division by zero and every result that is not a finite number are errors, never values.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bitsweep::spec {

using ExpressionValue = std::variant<double, bool, std::string>;

// What is wrong, and where: `offset` counts bytes of the expression's text from 0.
class ExpressionError : public std::exception {
 public:
  ExpressionError(size_t offset, std::string message) : offset(offset), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  const size_t offset;

 private:
  std::string message_;
};

class Expression {
 public:
  struct Name {
    std::string name;
    size_t offset;  // where it is first used
  };
  // Nothing: the name has no value here.
  using Lookup = std::function<std::optional<ExpressionValue>(const std::string& name)>;

  // Throws ExpressionError. At most 4096 bytes, nested at most 64 deep.
  static Expression parse(std::string_view text);

  const std::string& text() const { return text_; }
  const std::vector<Name>& names() const { return names_; }
  // Throws ExpressionError: a name without value, wrong types, division by zero, a result that is not finite.
  // Of `and` and `or` the right side is only looked at when it decides.
  ExpressionValue evaluate(const Lookup& lookup) const;

  struct Node {
    enum class Kind { number, boolean, text, name, unary, binary, call };
    Kind kind;
    size_t offset;
    std::string word;  // operator, function, name or text
    double number = 0;
    std::vector<size_t> children;  // indices of nodes
  };

 private:
  friend class ExpressionParser;
  ExpressionValue value_of(size_t node, const Lookup& lookup) const;
  ExpressionValue binary(const Node& node, const Lookup& lookup) const;
  double call(const Node& node, const Lookup& lookup) const;
  double number_of(size_t node, const Lookup& lookup) const;
  bool truth_of(size_t node, const Lookup& lookup) const;

  std::string text_;
  std::vector<Node> nodes_;
  size_t root_ = 0;
  std::vector<Name> names_;
};

}  // namespace bitsweep::spec
