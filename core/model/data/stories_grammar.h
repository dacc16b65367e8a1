// The grammar behind `stories` (stories.h): lexicons, and a Markov chain of sentence templates with slots.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bitsweep::data {

// Words of letters only, with weights falling as 1 / (rank + 2).
struct Lexicon {
  std::string name;
  std::vector<std::string> words;
  std::vector<uint64_t> cumulative;  // weights summed up to and including each word
  std::unordered_map<std::string_view, size_t> index;

  uint64_t total() const { return cumulative.back(); }
  double probability(size_t word) const;
  double entropy_bits() const;
  double mean_bytes() const;
};

// A choice between states, weights as in the grammar.
struct Branches {
  std::vector<size_t> states;
  std::vector<uint64_t> cumulative;

  bool empty() const { return states.empty(); }
  double probability(size_t branch) const;
  double entropy_bits() const;
};

// A stretch of a sentence: fixed text, a word drawn from a lexicon, or a word the story has drawn before.
struct Piece {
  enum class Kind { literal, draw, repeat };
  Kind kind = Kind::literal;
  std::string text;    // literal
  size_t lexicon = 0;  // draw, and repeat: the one its variable draws from
  int variable = -1;   // draw: where to keep the word (-1: nowhere); repeat: which
};

struct Sentence {
  std::vector<Piece> pieces;  // the first one is literal
  std::string first_word;     // with the character after it: unlike every sibling's in any choice
  Branches next;              // none: the story ends
};

struct StoryGrammar {
  std::vector<Lexicon> lexicons;
  std::vector<Sentence> sentences;
  Branches first;
  std::vector<std::string> variables;  // their names in the templates: A, K, H …

  // Index of a variable. REQUIRES that there is one of the name.
  size_t variable(std::string_view name) const;
};

// Built once. What unambiguity rests on (letters only, distinct words, distinct first words, slots apart) is tested.
const StoryGrammar& story_grammar();

// Appends one story to `text`. `choose` gives a place in cumulative weights for every choice, in the order of the text;
// `words` becomes what each variable holds at the end.
void tell_story(const std::function<size_t(const std::vector<uint64_t>& cumulative)>& choose, std::string& text,
                std::vector<std::string_view>& words);

}  // namespace bitsweep::data
