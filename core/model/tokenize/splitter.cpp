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
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, nullptr);
  if (code == nullptr)
    throw Error(ErrorKind::input, fmt::format("the regular expression '{}' is wrong at character {}: {}", expression,
                                              at + 1, message_of(error)));
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
