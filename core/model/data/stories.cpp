#include "data/stories.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/rng.h"
#include "data/stories_grammar.h"

namespace bitsweep::data {
namespace {

// Draws places of cumulative weights; one number of the stream a choice.
class BranchChooser {
 public:
  explicit BranchChooser(uint64_t seed) : seed_(seed) {}
  size_t choose(const std::vector<uint64_t>& cumulative) {
    if (cumulative.size() == 1) return 0;
    const uint64_t at = random_below(seed_, static_cast<uint64_t>(Stream::stories), next_++, cumulative.back());
    return static_cast<size_t>(std::upper_bound(cumulative.begin(), cumulative.end(), at) - cumulative.begin());
  }

 private:
  uint64_t seed_;
  uint64_t next_ = 0;
};

// Expected visits of each sentence in a story: v = first + transitions^T v, by Gaussian elimination (the matrix
// I - transitions^T of an absorbing chain needs no pivoting: its columns are diagonally dominant).
std::vector<double> expected_visits(const StoryGrammar& grammar) {
  const size_t n = grammar.sentences.size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1));
  for (size_t i = 0; i < n; ++i) a[i][i] = 1;
  for (size_t i = 0; i < grammar.first.states.size(); ++i)
    a[grammar.first.states[i]][n] += grammar.first.probability(i);
  for (size_t from = 0; from < n; ++from) {
    const Branches& next = grammar.sentences[from].next;
    for (size_t i = 0; i < next.states.size(); ++i) a[next.states[i]][from] -= next.probability(i);
  }
  for (size_t pivot = 0; pivot < n; ++pivot)
    for (size_t row = 0; row < n; ++row) {
      if (row == pivot) continue;
      const double factor = a[row][pivot] / a[pivot][pivot];
      for (size_t column = pivot; column <= n; ++column) a[row][column] -= factor * a[pivot][column];
    }
  std::vector<double> visits(n);
  for (size_t i = 0; i < n; ++i) visits[i] = a[i][n] / a[i][i];
  return visits;
}

// Reads choices off a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : grammar_(story_grammar()), text_(text), words_(grammar_.variables.size()) {}

  double code_length_bits() {
    while (at_ < text_.size())
      for (const Sentence* sentence = choose(grammar_.first); sentence != nullptr; sentence = choose(sentence->next))
        for (const Piece& piece : sentence->pieces) read(piece);
    return bits_;
  }

 private:
  [[noreturn]] void leave(std::string_view expected) const {
    throw Error(ErrorKind::input, fmt::format("no text of 'stories' from byte {} on: expected {}", at_, expected));
  }

  const Sentence* choose(const Branches& branches) {
    for (size_t i = 0; i < branches.states.size(); ++i) {
      const Sentence& sentence = grammar_.sentences[branches.states[i]];
      if (!text_.substr(at_).starts_with(sentence.first_word)) continue;
      bits_ -= std::log2(branches.probability(i));
      return &sentence;
    }
    if (!branches.empty()) leave("the beginning of a sentence");
    return nullptr;
  }

  void read(const Piece& piece) {
    if (piece.kind != Piece::Kind::draw) {
      const std::string_view expected = piece.kind == Piece::Kind::literal ? piece.text : words_[piece.variable];
      if (!text_.substr(at_).starts_with(expected)) leave(fmt::format("'{}'", expected));
      at_ += expected.size();
      return;
    }
    size_t end = at_;
    while (end < text_.size() && ((text_[end] | 0x20) >= 'a' && (text_[end] | 0x20) <= 'z')) ++end;
    const Lexicon& lexicon = grammar_.lexicons[piece.lexicon];
    const auto word = lexicon.index.find(text_.substr(at_, end - at_));
    if (word == lexicon.index.end()) leave(fmt::format("a word of the kind '{}'", lexicon.name));
    bits_ -= std::log2(lexicon.probability(word->second));
    if (piece.variable >= 0) words_[piece.variable] = word->first;
    at_ = end;
  }

  const StoryGrammar& grammar_;
  std::string_view text_;
  std::vector<std::string_view> words_;  // by variable
  size_t at_ = 0;
  double bits_ = 0;
};

}  // namespace

std::string generate_stories(uint64_t seed, uint64_t bytes) {
  BranchChooser chooser(seed);
  std::vector<std::string_view> words;
  std::string text;
  text.reserve(bytes + 8192);
  while (text.size() < bytes)
    tell_story([&](const std::vector<uint64_t>& cumulative) { return chooser.choose(cumulative); }, text, words);
  return text;
}

double stories_entropy_bits_per_byte() {
  const StoryGrammar& grammar = story_grammar();
  const std::vector<double> visits = expected_visits(grammar);
  double bits = grammar.first.entropy_bits();
  double bytes = 0;
  for (size_t i = 0; i < visits.size(); ++i) {
    const Sentence& sentence = grammar.sentences[i];
    bits += visits[i] * sentence.next.entropy_bits();
    for (const Piece& piece : sentence.pieces) {
      const Lexicon& lexicon = grammar.lexicons[piece.lexicon];
      const bool literal = piece.kind == Piece::Kind::literal;
      bytes += visits[i] * (literal ? static_cast<double>(piece.text.size()) : lexicon.mean_bytes());
      if (piece.kind == Piece::Kind::draw) bits += visits[i] * lexicon.entropy_bits();
    }
  }
  return bits / bytes;
}

double stories_code_length_bits(std::string_view text) { return Reader(text).code_length_bits(); }

}  // namespace bitsweep::data
