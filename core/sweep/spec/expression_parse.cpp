// Recursive descent over the text of an expression; the grammar is in expression.h.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/units.h"
#include "spec/expression.h"
#include "spec/expression_functions.h"

namespace bitsweep::spec {
namespace {

constexpr size_t kLongest = 4096;
constexpr int kDeepest = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

}  // namespace

class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : text_(text) {}

  Expression run() {
    if (text_.size() > kLongest) fail(0, fmt::format("an expression may have {} bytes", kLongest));
    out_.text_ = text_;
    out_.root_ = disjunction();
    skip_space();
    if (at_ < text_.size()) unexpected();
    return std::move(out_);
  }

 private:
  using Kind = Expression::Node::Kind;

  // Counts the depth of the grammar's recursion for as long as it lives.
  struct Deeper {
    explicit Deeper(ExpressionParser& parser) : parser(parser) {
      if (++parser.depth_ > kDeepest) parser.fail(parser.at_, fmt::format("nested more than {} deep", kDeepest));
    }
    ~Deeper() { --parser.depth_; }
    ExpressionParser& parser;
  };

  [[noreturn]] void fail(size_t offset, std::string message) const {
    throw ExpressionError(offset, std::move(message));
  }

  [[noreturn]] void unexpected() const {
    if (at_ >= text_.size()) fail(text_.size(), "the expression ends here, a value was expected");
    const std::string_view rest = text_.substr(at_);
    for (const auto& [wrong, right] : {std::pair{"&&", "and"}, {"||", "or"}, {"!", "not"}, {"^", "**"}, {"=", "=="}}) {
      if (rest.starts_with(wrong)) fail(at_, fmt::format("'{}' is not known here; use '{}'", wrong, right));
    }
    if (is_letter(rest[0])) fail(at_, fmt::format("'{}' was not expected here", word_at(at_)));
    const bool printable = rest[0] >= 0x20 && rest[0] < 0x7f;
    fail(at_, printable ? fmt::format("'{}' was not expected here", rest[0])
                        : fmt::format("byte 0x{:02x} was not expected here", static_cast<unsigned char>(rest[0])));
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  std::string_view word_at(size_t from) const {
    size_t end = from;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    return text_.substr(from, end - from);
  }

  bool take(std::string_view symbol) {
    skip_space();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }

  bool take_word(std::string_view word) {
    skip_space();
    if (word_at(at_) != word) return false;
    at_ += word.size();
    return true;
  }

  size_t add(Kind kind, size_t offset, std::string word, std::vector<size_t> children = {}, double number = 0) {
    out_.nodes_.push_back({kind, offset, std::move(word), number, std::move(children)});
    return out_.nodes_.size() - 1;
  }

  size_t disjunction() {
    Deeper deeper(*this);
    size_t left = conjunction();
    for (;;) {
      skip_space();
      const size_t offset = at_;
      if (!take_word("or")) return left;
      const size_t right = conjunction();
      left = add(Kind::binary, offset, "or", {left, right});
    }
  }

  size_t conjunction() {
    size_t left = negation();
    for (;;) {
      skip_space();
      const size_t offset = at_;
      if (!take_word("and")) return left;
      const size_t right = negation();
      left = add(Kind::binary, offset, "and", {left, right});
    }
  }

  size_t negation() {
    Deeper deeper(*this);
    skip_space();
    const size_t offset = at_;
    if (!take_word("not")) return comparison();
    const size_t operand = negation();
    return add(Kind::unary, offset, "not", {operand});
  }

  std::string comparator() {
    for (const char* symbol : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (take(symbol)) return symbol;
    }
    return "";
  }

  size_t comparison() {
    const size_t left = sum();
    skip_space();
    const size_t offset = at_;
    const std::string symbol = comparator();
    if (symbol.empty()) return left;
    const size_t right = sum();
    skip_space();
    const size_t second = at_;
    if (!comparator().empty()) fail(second, "comparisons are not chained; write 'a < b and b < c'");
    return add(Kind::binary, offset, symbol, {left, right});
  }

  size_t sum() {
    size_t left = product();
    for (;;) {
      skip_space();
      const size_t offset = at_;
      const char* symbol = take("+") ? "+" : take("-") ? "-" : nullptr;
      if (symbol == nullptr) return left;
      const size_t right = product();
      left = add(Kind::binary, offset, symbol, {left, right});
    }
  }

  size_t product() {
    size_t left = sign();
    for (;;) {
      skip_space();
      const size_t offset = at_;
      if (text_.substr(at_).starts_with("**")) return left;  // already taken by power(), unless misplaced
      const char* symbol = take("*") ? "*" : take("/") ? "/" : take("%") ? "%" : nullptr;
      if (symbol == nullptr) return left;
      const size_t right = sign();
      left = add(Kind::binary, offset, symbol, {left, right});
    }
  }

  size_t sign() {
    Deeper deeper(*this);
    skip_space();
    const size_t offset = at_;
    if (take("-")) {
      const size_t operand = sign();
      return add(Kind::unary, offset, "-", {operand});
    }
    if (take("+")) return sign();
    return power();
  }

  size_t power() {
    const size_t base = primary();
    skip_space();
    const size_t offset = at_;
    if (!take("**")) return base;
    const size_t exponent = sign();
    return add(Kind::binary, offset, "**", {base, exponent});
  }

  size_t primary() {
    skip_space();
    if (at_ >= text_.size()) unexpected();
    const char c = text_[at_];
    if (c == '(') return parenthesis();
    if (c == '\'' || c == '"') return quoted(c);
    if (is_digit(c) || c == '.') return number();
    if (is_letter(c)) return name();
    unexpected();
  }

  size_t parenthesis() {
    const size_t opened = at_++;
    const size_t inner = disjunction();
    if (!take(")")) at_ < text_.size() ? unexpected() : fail(opened, "this parenthesis is not closed");
    return inner;
  }

  size_t quoted(char quote) {
    const size_t opened = at_++;
    const size_t closed = text_.find(quote, at_);
    if (closed == std::string_view::npos) fail(opened, "this quote is not closed");
    const std::string text(text_.substr(at_, closed - at_));
    at_ = closed + 1;
    return add(Kind::text, opened, text);
  }

  size_t number() {
    const size_t offset = at_;
    const auto more = [&] {
      const char c = text_[at_];
      const bool exponent_sign =
          (c == '-' || c == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') && at_ > offset;
      return is_digit(c) || is_letter(c) || c == '.' || exponent_sign;
    };
    while (at_ < text_.size() && more()) ++at_;
    const std::string_view digits = text_.substr(offset, at_ - offset);
    const auto value = parse_size(digits);
    if (!value) fail(offset, fmt::format("'{}' is not a number", digits));
    if (!(*value < 1e308)) fail(offset, fmt::format("'{}' is too large", digits));
    return add(Kind::number, offset, "", {}, *value);
  }

  size_t name() {
    const size_t offset = at_;
    at_ += word_at(at_).size();
    while (at_ + 1 < text_.size() && text_[at_] == '.' && is_letter(text_[at_ + 1])) at_ += 1 + word_at(at_ + 1).size();
    const std::string word(text_.substr(offset, at_ - offset));
    if (word == "and" || word == "or" || word == "not") fail(offset, fmt::format("'{}' needs a value before it", word));
    if (word == "true" || word == "false") return add(Kind::boolean, offset, word);
    skip_space();
    if (at_ < text_.size() && text_[at_] == '(') return call(word, offset);
    const auto same = [&](const Expression::Name& known) { return known.name == word; };
    if (std::none_of(out_.names_.begin(), out_.names_.end(), same)) out_.names_.push_back({word, offset});
    return add(Kind::name, offset, word);
  }

  size_t call(const std::string& word, size_t offset) {
    const ExpressionFunction* function = find_function(word);
    if (function == nullptr) {
      fail(offset, fmt::format("there is no function '{}'{}", word, did_you_mean(word, function_names())));
    }
    const size_t opened = at_++;
    std::vector<size_t> arguments;
    if (!take(")")) {
      do {
        arguments.push_back(disjunction());
      } while (take(","));
      if (!take(")")) at_ < text_.size() ? unexpected() : fail(opened, "this parenthesis is not closed");
    }
    const size_t given = arguments.size();
    if (given < function->least || given > function->most) {
      const char* amount = function->most == 1   ? "one value"
                           : function->most == 2 ? "two values"
                                                 : "two values or more";
      fail(offset, fmt::format("{}() takes {}, given {}", word, amount, given));
    }
    return add(Kind::call, offset, word, std::move(arguments));
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  Expression out_;
};

Expression Expression::parse(std::string_view text) { return ExpressionParser(text).run(); }

}  // namespace bitsweep::spec
