// The built-in corpus `stories`: English-like text drawn from a small stochastic grammar whose entropy rate is known,
// so that the irreducible loss a scaling law finds can be held against the truth.
//
// A story is a walk through a Markov chain of sentence templates. A template's slots are either drawn from a lexicon
// (Zipf-like weights) or repeat what the story chose before: its hero, place, treasure, friend. Every choice can be
// read off the text (each sentence of a state's successors begins with a word of its own, a slot holds letters only
// and is followed by another character), so that text and choices determine each other and
//   entropy rate = E[choice bits of a story] / E[bytes of a story]     (renewal: stories are independent)
// where both follow exactly from the expected visits of the absorbing chain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bitsweep::data {

// Raised with every change of the grammar: the cache then makes the text anew.
inline constexpr int stories_version = 1;
inline constexpr uint64_t stories_seed = 20;
inline constexpr uint64_t stories_bytes = UINT64_C(16) << 20;

// Whole stories until at least `bytes` are there; a pure function of (seed, bytes), a longer text begins with a
// shorter.
std::string generate_stories(uint64_t seed = stories_seed, uint64_t bytes = stories_bytes);

// Bits per byte of an endless text of stories.
double stories_entropy_bits_per_byte();

// Bits that the grammar's own probabilities need for `text`, which must consist of whole stories: the code length of
// the true model. Throws Error{input} with the offset where the text leaves the grammar.
double stories_code_length_bits(std::string_view text);

}  // namespace bitsweep::data
