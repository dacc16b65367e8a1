#include "tokenize/splitter.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep::tokenize {
namespace {

constexpr size_t kStackBytes = 32 << 10, kMostStackBytes = 64 << 20;

std::string message_of(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

// White space as Unicode has it since 6.3. PCRE2 counts U+180E to it as well, which it was before.
constexpr std::string_view kSpaces =
    R"(\x09-\x0D\x20\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
// What else counts as a space for \S, which is everything but what PCRE2 has.
constexpr std::string_view kNoSpace = R"(\S\x{180E})";

// What the library of tokenizers understands otherwise: it counts other characters to words, \h is a hexadecimal digit
// there, and classes may lie in classes.
constexpr std::string_view kOtherwise[] = {"\\w", "\\W", "\\b", "\\B", "\\h", "\\H"};

[[noreturn]] void refuse(std::string_view part) {
  throw Error(ErrorKind::input, fmt::format("'{}' in a regular expression is not read: it means other characters to "
                                            "the library that made the tokenizer",
                                            part));
}

// Writes an expression anew, so that PCRE2 understands it as the library of tokenizers does.
class Translation {
 public:
  explicit Translation(std::string_view expression) : rest_(expression) {
    while (!rest_.empty())
      if (!spaces()) in_class_ ? class_part() : part();
  }
  std::string take() { return std::move(out_); }

 private:
  bool replace(std::string_view from, std::string_view to) {
    if (!rest_.starts_with(from)) return false;
    out_ += to;
    rest_.remove_prefix(from.size());
    return true;
  }
  void copy(size_t count) { replace(rest_.substr(0, count), rest_.substr(0, count)); }

  bool spaces() {
    if (!in_class_)
      return replace("\\s", fmt::format("[{}]", kSpaces)) || replace("\\S", fmt::format("[{}]", kNoSpace));
    return replace("\\s", kSpaces) || replace("[:space:]", kSpaces) || replace("\\S", kNoSpace) ||
           replace("[:^space:]", kNoSpace);
  }

  void escape() {
    if (rest_.starts_with("\\Q")) return copy(rest_.find("\\E"));
    for (const std::string_view other : kOtherwise)
      if (rest_.starts_with(other)) refuse(other);
    copy(2);
  }

  void part() {
    if (rest_.front() == '\\') return escape();
    in_class_ = rest_.front() == '[';
    // A bracket that stands first in a class is a member of it.
    copy(!in_class_ ? 1 : rest_.starts_with("[^]") ? 3 : rest_.starts_with("[^") || rest_.starts_with("[]") ? 2 : 1);
  }

  void class_part() {
    if (rest_.front() == '\\') return escape();
    if (const size_t end = rest_.find(":]"); rest_.starts_with("[:") && end != std::string_view::npos)
      return copy(end + 2);
    if (rest_.front() == '[' || rest_.starts_with("&&"))
      refuse(fmt::format("{} in a class", rest_.front() == '[' ? "[" : "&&"));
    in_class_ = rest_.front() != ']';
    copy(1);
  }

  std::string_view rest_;
  std::string out_;
  bool in_class_ = false;
};

// Null, with the library's number and the place of what is wrong.
pcre2_code* compiled(const std::string& expression, int& error, PCRE2_SIZE& at) {
  return pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                       PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr);
}

}  // namespace

const char* const kGpt2Pattern = R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct Pattern::Code {
  explicit Code(pcre2_code* made) : code(made) {}
  ~Code() { pcre2_code_free(code); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  pcre2_code* code;
};

Pattern::Pattern(const std::string& expression) : expression_(expression) {
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = compiled(expression, error, at);
  if (code == nullptr)
    throw Error(ErrorKind::input, fmt::format("the regular expression '{}' is wrong at character {}: {}", expression,
                                              at + 1, message_of(error)));
  pcre2_code_free(code);
  code = compiled(Translation(expression).take(), error, at);
  if (code == nullptr)
    throw Error(ErrorKind::failed, fmt::format("the regular expression '{}' could not be written anew: {}", expression,
                                               message_of(error)));
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where a machine has none, it is interpreted
  code_ = std::make_shared<Code>(code);
}

struct Splitter::State {
  explicit State(std::shared_ptr<const Pattern::Code> of)
      : code(std::move(of)),
        data(pcre2_match_data_create(1, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(kStackBytes, kMostStackBytes, nullptr)) {
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~State() {
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::shared_ptr<const Pattern::Code> code;
  pcre2_match_data* data;
  pcre2_match_context* context;
  pcre2_jit_stack* stack;
};

Splitter::Splitter(const Pattern& pattern) : state_(std::make_unique<State>(pattern.code_)) {}
Splitter::~Splitter() = default;
Splitter::Splitter(Splitter&&) noexcept = default;

void Splitter::split(std::string_view text, std::vector<size_t>& ends) {
  ends.clear();
  const PCRE2_SIZE* match = pcre2_get_ovector_pointer(state_->data);
  size_t done = 0, from = 0;
  while (from < text.size()) {
    // What bounds the effort of backtracking is the library's own limit.
    const int result = pcre2_match(state_->code->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, 0,
                                   state_->data, state_->context);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0)
      throw Error(ErrorKind::failed,
                  fmt::format("a text could not be cut into words at byte {}: {}", from, message_of(result)));
    if (match[1] == match[0]) {  // nothing matched: look further
      from = match[1] + 1;
      continue;
    }
    if (match[0] > done) ends.push_back(match[0]);
    ends.push_back(match[1]);
    done = from = match[1];
  }
  if (done < text.size()) ends.push_back(text.size());
}

}  // namespace bitsweep::tokenize
