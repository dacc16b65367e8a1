// A regular expression that cuts a text into words, as pre-tokenizers of byte-level BPE have it: what it matches, and
// what lies between its matches.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::tokenize {

// GPT-2's words: contractions, letters, digits and signs, each with the space before it; white space.
extern const char* const kGpt2Pattern;

class Pattern {
 public:
  // As the library of tokenizers understands it, but for letters and digits newer than the Unicode of PCRE2. Throws
  // Error{input} with the place in the expression, and for what means other characters there (\w, \b, \h).
  explicit Pattern(const std::string& expression);
  const std::string& expression() const { return expression_; }

 private:
  friend class Splitter;
  struct Code;
  std::string expression_;
  std::shared_ptr<const Code> code_;
};

// One thread's.
class Splitter {
 public:
  explicit Splitter(const Pattern& pattern);
  ~Splitter();
  Splitter(Splitter&&) noexcept;
  // The ends of the pieces that the text consists of, none empty; ends is cleared before. Bytes that are no UTF-8 match
  // nothing. Throws Error{failed} when the expression wants more than it may have of a text.
  void split(std::string_view text, std::vector<size_t>& ends);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitsweep::tokenize
