// The built-in corpora `repeat`, `copy` and `needle`: lines whose later part can only be told by looking back, after
// the induction tasks of Olsson et al., "In-context learning and induction heads", arXiv 2209.11895.
//
//   repeat  >QWERT>QWERT>QWERT      a segment of 4 to 12 letters, said 2 to 8 times
//   copy    >QWERTYfjs…dl>QWERTY    6 to 12 letters, a gap of 8 to 40 of noise, and the same again
//   needle  jdkQfslWa…s>WaQf        4 to 8 keys with a value each in noise, then asked in any order
//
// Segments and keys are capitals of which none comes twice in a line, noise and values are small
// letters; each line ends in '\n', nothing but its own choices, all of them uniform, makes a line.
//
// The answers are the letters that the text before them determines: a byte of a copy, a value that is asked for. One
// rule finds them all: the current byte, a capital or '>', stood earlier in the same line, and the answer is what
// followed it there. So a window says by itself which of its bytes are answers, wherever it was cut: a place whose
// evidence lies before the window's begin is none.
//
// Every choice can be read off the text, so the entropy rate is exact: E[choice bits of a line] / E[bytes of a line].
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::data {

enum class InductionTask { repeat, copy, needle };

// Raised with every change of the lines: the cache then makes the texts anew.
inline constexpr int induction_version = 1;
inline constexpr uint64_t induction_seed = 21;
inline constexpr uint64_t induction_bytes = UINT64_C(16) << 20;

// How often a guess among the letters is right that does not look back.
inline constexpr double induction_chance = 1.0 / 26;

// The task of a built-in corpus; nothing for any other corpus.
std::optional<InductionTask> find_induction_task(std::string_view corpus);

// Whole lines until at least `bytes` are there; a pure function of its arguments, a longer text begins with a shorter.
std::string generate_induction(InductionTask task, uint64_t seed = induction_seed, uint64_t bytes = induction_bytes);

// Bits per byte of an endless text, for a reader who has seen each line from its begin.
double induction_entropy_bits_per_byte(InductionTask task);

// Bytes of the longest line, newline included: a context of that many holds every answer's evidence.
int64_t induction_longest_line(InductionTask task);

struct InductionAnswer {
  int64_t position = 0;  // of the answer in the window
  int64_t evidence = 0;  // where the window said it last
  bool operator==(const InductionAnswer&) const = default;
};

// The answers among the bytes of a window of the task's text, ascending. Whether a byte is one, and its evidence,
// follow from the bytes before it alone.
std::vector<InductionAnswer> induction_answers(InductionTask task, std::span<const uint8_t> window);

}  // namespace bitsweep::data
