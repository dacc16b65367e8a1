#include "data/stories_grammar.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>

namespace bitsweep::data {
namespace {

struct LexiconText {
  const char* name;
  const char* words;  // separated by spaces, most frequent first
};

constexpr LexiconText lexicon_texts[] = {
    {"animal",
     "fox rabbit bear mouse cat dog wolf hen goat frog pig horse duck cow badger hare mole deer sheep "
     "donkey goose hedgehog beaver turtle lizard pigeon robin sparrow raven lamb pony kitten puppy tiger "
     "lion monkey parrot camel whale dragon"},
    {"quality",
     "little brave kind quiet clever lazy happy gentle curious small tall young proud shy hungry sleepy "
     "merry bold polite grumpy wise cheerful careful funny noisy lonely patient stubborn fearless restless "
     "friendly nimble thoughtful"},
    {"place",
     "river forest hill lake meadow garden village bridge cave pond field mill castle tower valley well "
     "beach barn orchard market harbour mountain marsh road windmill church stable quarry lighthouse "
     "waterfall desert cliff library bakery"},
    {"thing",
     "stone key book bell box hat cup lamp coin ring flower drum kite boat basket feather mirror map shell "
     "button candle ribbon spoon rope blanket violin lantern ladder hammer crown wheel needle barrel "
     "teapot compass whistle telescope"},
    {"colour",
     "red blue green yellow white black golden silver brown pink grey purple scarlet crimson turquoise "
     "violet"},
    {"food",
     "bread honey cheese apples soup berries nuts cake milk carrots pears plums butter corn porridge "
     "mushrooms turnips"},
    {"time", "morning day evening night summer winter spring afternoon autumn dawn noon midnight"},
    {"motion",
     "walked ran went hurried wandered marched crept skipped strolled hopped trotted rushed limped danced "
     "tiptoed"},
    {"manner",
     "slowly quickly happily quietly softly bravely eagerly calmly sadly proudly politely nervously "
     "cheerfully"},
    {"arrival", "appeared arrived laughed waved whistled bowed stumbled shouted sneezed landed smiled yawned"},
    {"weather", "rained snowed thundered cleared drizzled hailed brightened stormed"},
    {"feeling", "sad lonely afraid bored hungry tired angry lost worried cold jealous homesick"},
};

// Names are a head of two letters and a tail: 480 of them, a long tail of rare words.
constexpr const char* name_heads = "Ba Mi Lo Ta Be Ro Ki Sa Do Li Ma Fe Ni Ga Po Ra Ti Ho Na De Ju Ka Wi Zo";
constexpr const char* name_tails = "lo ra mi na to lla nny bby sel vi rtin ndra ko tte dor ppo ss xi zzi rk";

struct BranchText {
  const char* to;
  uint64_t weight;
};

struct SentenceText {
  const char* name;
  const char* text;  // {V=lexicon}: drawn and kept as V; {=lexicon}: drawn; {V}: V again
  std::vector<BranchText> next;
};

const std::vector<BranchText> first_sentences{{"once", 3}, {"long ago", 2}};

const std::vector<SentenceText> sentence_texts{
    {"once", "Once there was a {A=quality} {K=animal} named {H=name} who lived by the {P=place}. ", {{"wish", 1}}},
    {"long ago", "Long ago {H=name}, a {A=quality} {K=animal}, lived near the {P=place}. ", {{"wish", 1}}},
    {"wish", "Every {=time} {H} dreamed of a {C=colour} {T=thing}. ", {{"leave", 1}}},
    {"leave", "One {=time} the {K} packed {=food}, {=food} and a {=colour} {=thing}. ", {{"walk", 3}, {"weather", 1}}},
    {"walk",
     "Then {H} {=motion} past the {=place}, the {=place} and the {=place}. ",
     {{"meet", 5}, {"weather", 1}, {"walk", 1}}},
    {"weather", "Meanwhile it {=weather}, and the {P} turned {=colour}. ", {{"walk", 1}, {"meet", 2}}},
    {"meet", "Suddenly a {=quality} {G=animal} called {F=name} {=arrival}. ", {{"ask", 1}}},
    {"ask", "\"Have you seen a {C} {T}?\" asked {H} {=manner}. ", {{"no", 1}, {"yes", 2}}},
    {"no", "\"No,\" said {F} the {G}, \"but I have {=food} and a {=colour} {=thing}.\" ", {{"share", 1}, {"walk", 2}}},
    {"yes", "\"Yes,\" said {F}, \"look by the {Q=place}, under the {=thing}.\" ", {{"arrive", 1}}},
    {"share", "Together {H} and {F} ate {=food} and {=food}. ", {{"walk", 1}}},
    {"arrive", "So the {A} {K} {=motion} to the {Q}. ", {{"found", 4}, {"nothing", 1}}},
    {"nothing", "But there was only a {=colour} {=thing}. ", {{"walk", 2}, {"weather", 1}}},
    {"found", "There, beside a {=thing}, lay the {C} {T}. ", {{"home", 1}}},
    {"home", "Happily {H} took the {T} back to the {P}, and the {K} was never {=feeling} again.\n\n", {}},
};

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

double entropy_of(const std::vector<uint64_t>& cumulative) {
  double bits = 0;
  uint64_t before = 0;
  for (const uint64_t upto : cumulative) {
    const double p = static_cast<double>(upto - before) / static_cast<double>(cumulative.back());
    bits -= p * std::log2(p);
    before = upto;
  }
  return bits;
}

double probability_of(const std::vector<uint64_t>& cumulative, size_t at) {
  const uint64_t weight = cumulative[at] - (at > 0 ? cumulative[at - 1] : 0);
  return static_cast<double>(weight) / static_cast<double>(cumulative.back());
}

Lexicon make_lexicon(std::string name, std::vector<std::string> words) {
  Lexicon lexicon{std::move(name), std::move(words), {}, {}};
  uint64_t sum = 0;
  for (size_t rank = 0; rank < lexicon.words.size(); ++rank) lexicon.cumulative.push_back(sum += 100'000 / (rank + 2));
  return lexicon;
}

std::vector<Lexicon> make_lexicons() {
  std::vector<Lexicon> lexicons;
  for (const LexiconText& text : lexicon_texts) lexicons.push_back(make_lexicon(text.name, split_words(text.words)));
  std::vector<std::string> names;
  for (const std::string& tail : split_words(name_tails))
    for (const std::string& head : split_words(name_heads)) names.push_back(head + tail);
  lexicons.push_back(make_lexicon("name", std::move(names)));
  // Views into the words: taken once the lexicons no longer move.
  for (Lexicon& lexicon : lexicons)
    for (size_t i = 0; i < lexicon.words.size(); ++i) {
      [[maybe_unused]] const bool is_new = lexicon.index.emplace(lexicon.words[i], i).second;
      assert(is_new);
    }
  return lexicons;
}

class Compiler {
 public:
  Compiler() {
    grammar_.lexicons = make_lexicons();
    for (size_t i = 0; i < grammar_.lexicons.size(); ++i) lexicons_[grammar_.lexicons[i].name] = i;
    for (size_t i = 0; i < sentence_texts.size(); ++i) states_[sentence_texts[i].name] = i;
    for (const SentenceText& text : sentence_texts) grammar_.sentences.push_back(sentence(text));
    grammar_.first = branches(first_sentences);
    grammar_.variables.resize(variables_.size());
    for (const auto& [name, variable] : variables_) grammar_.variables[static_cast<size_t>(variable.first)] = name;
  }
  StoryGrammar take() { return std::move(grammar_); }

 private:
  Branches branches(const std::vector<BranchText>& texts) {
    Branches made;
    uint64_t sum = 0;
    for (const BranchText& text : texts) {
      made.states.push_back(states_.at(text.to));
      made.cumulative.push_back(sum += text.weight);
    }
    return made;
  }

  Sentence sentence(const SentenceText& text) {
    Sentence made;
    for (std::string_view rest = text.text; !rest.empty();) {
      const bool slot = rest.front() == '{';
      const size_t end = slot ? rest.find('}') + 1 : std::min(rest.find('{'), rest.size());
      made.pieces.push_back(slot ? slot_piece(rest.substr(1, end - 2))
                                 : Piece{Piece::Kind::literal, std::string(rest.substr(0, end)), 0, -1});
      rest.remove_prefix(end);
    }
    made.first_word = made.pieces.front().text.substr(0, made.pieces.front().text.find(' ') + 1);
    made.next = branches(text.next);
    return made;
  }

  Piece slot_piece(std::string_view slot) {
    const size_t equals = slot.find('=');
    const std::string variable(slot.substr(0, equals));
    if (equals == std::string_view::npos) {
      const auto& [index, lexicon] = variables_.at(variable);
      return {Piece::Kind::repeat, "", lexicon, index};
    }
    const size_t lexicon = lexicons_.at(std::string(slot.substr(equals + 1)));
    if (variable.empty()) return {Piece::Kind::draw, "", lexicon, -1};
    const auto [entry, is_new] = variables_.try_emplace(variable, static_cast<int>(variables_.size()), lexicon);
    assert(entry->second.second == lexicon);  // a repeat's expected length is that of one lexicon
    return {Piece::Kind::draw, "", lexicon, entry->second.first};
  }

  StoryGrammar grammar_;
  std::map<std::string, size_t> lexicons_, states_;
  std::map<std::string, std::pair<int, size_t>> variables_;  // index, lexicon
};

}  // namespace

double Lexicon::probability(size_t word) const { return probability_of(cumulative, word); }
double Lexicon::entropy_bits() const { return entropy_of(cumulative); }

double Lexicon::mean_bytes() const {
  double mean = 0;
  for (size_t i = 0; i < words.size(); ++i) mean += probability(i) * static_cast<double>(words[i].size());
  return mean;
}

double Branches::probability(size_t branch) const { return probability_of(cumulative, branch); }
double Branches::entropy_bits() const { return empty() ? 0 : entropy_of(cumulative); }

size_t StoryGrammar::variable(std::string_view name) const {
  const auto found = std::find(variables.begin(), variables.end(), name);
  assert(found != variables.end());
  return static_cast<size_t>(found - variables.begin());
}

void tell_story(const std::function<size_t(const std::vector<uint64_t>& cumulative)>& choose, std::string& text,
                std::vector<std::string_view>& words) {
  const StoryGrammar& grammar = story_grammar();
  words.assign(grammar.variables.size(), {});
  for (const Branches* next = &grammar.first; !next->empty();) {
    const Sentence& sentence = grammar.sentences[next->states[choose(next->cumulative)]];
    for (const Piece& piece : sentence.pieces) {
      if (piece.kind == Piece::Kind::literal) {
        text += piece.text;
      } else if (piece.kind == Piece::Kind::repeat) {
        text += words[piece.variable];
      } else {
        const Lexicon& lexicon = grammar.lexicons[piece.lexicon];
        const std::string& word = lexicon.words[choose(lexicon.cumulative)];
        if (piece.variable >= 0) words[piece.variable] = word;
        text += word;
      }
    }
    next = &sentence.next;
  }
}

const StoryGrammar& story_grammar() {
  static const StoryGrammar grammar = Compiler().take();
  return grammar;
}

}  // namespace bitsweep::data
