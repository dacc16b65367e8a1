#include "data/stories_questions.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "data/stories_grammar.h"

namespace bitsweep::data {
namespace {

constexpr uint64_t kSeed = 21;
constexpr uint64_t kChoicesAStory = UINT64_C(1) << 16;
constexpr uint64_t kSubjectDraws = kChoicesAStory / 2;  // a story makes far fewer choices than this
constexpr int64_t kDevQuestions = 1000, kTrainQuestions = 10'000;
constexpr int64_t kKinds = 4, kOneInNone = 4;  // of four rounds of the kinds, the last is about somebody else

uint64_t draw(uint64_t story, uint64_t index, uint64_t bound) {
  return random_below(kSeed, static_cast<uint64_t>(Stream::questions), story * kChoicesAStory + index, bound);
}

struct Told {
  std::string text;
  std::vector<std::string_view> words;  // by variable
  std::string_view word(std::string_view variable) const { return words[story_grammar().variable(variable)]; }
};

Told tell(uint64_t story) {
  Told told;
  uint64_t next = 0;
  tell_story(
      [&](const std::vector<uint64_t>& cumulative) {
        if (cumulative.size() == 1) return size_t{0};
        const uint64_t at = draw(story, next++, cumulative.back());
        return static_cast<size_t>(std::upper_bound(cumulative.begin(), cumulative.end(), at) - cumulative.begin());
      },
      told.text, told.words);
  assert(next < kSubjectDraws);
  while (told.text.ends_with('\n') || told.text.ends_with(' ')) told.text.pop_back();
  return told;
}

QuestionPart part_of(const std::string& text) {
  return sha256_hex(text)[0] < '2' ? QuestionPart::dev : QuestionPart::train;  // an eighth
}

// A word of the lexicon that the story does not hold.
std::string other_word(uint64_t story, std::string_view lexicon, const std::string& text) {
  const auto& lexicons = story_grammar().lexicons;
  const auto found =
      std::find_if(lexicons.begin(), lexicons.end(), [&](const Lexicon& one) { return one.name == lexicon; });
  for (uint64_t i = kSubjectDraws;; ++i) {
    const std::string& word = found->words[draw(story, i, found->words.size())];
    if (text.find(word) == std::string::npos) return word;
  }
}

// `about`: of whom or what it is asked instead, which has no answer.
std::pair<std::string, std::string> question_of(int64_t kind, const Told& told,
                                                const std::optional<std::string>& about) {
  const std::string hero(told.word("H")), place(told.word("P"));
  if (kind == 0) return {fmt::format("Who lived by the {}?", about.value_or(place)), hero};
  if (kind == 1) return {fmt::format("Where did {} live?", about.value_or(hero)), "the " + place};
  if (kind == 2)
    return {fmt::format("What did {} dream of?", about.value_or(hero)),
            fmt::format("a {} {}", told.word("C"), told.word("T"))};
  return {fmt::format("Who told {} where to look?", about.value_or(hero)), std::string(told.word("F"))};
}

}  // namespace

std::string generate_stories_questions(QuestionPart part, int64_t count) {
  std::string lines;
  uint64_t story = 0;
  for (int64_t i = 0; i < count; ++i) {
    Told told = tell(story);
    while (part_of(told.text) != part) told = tell(++story);
    const int64_t kind = i % kKinds;
    std::optional<std::string> about;
    if (i / kKinds % kOneInNone == kOneInNone - 1) about = other_word(story, kind == 0 ? "place" : "name", told.text);
    auto [question, answer] = question_of(kind, told, about);
    json::array answers;
    if (!about) answers.emplace_back(answer);
    lines += compact_json(json::object{{"id", fmt::format("{}-{}", part == QuestionPart::dev ? "dev" : "train", i + 1)},
                                       {"context", told.text},
                                       {"question", question},
                                       {"answers", std::move(answers)}}) +
             "\n";
    ++story;
  }
  return lines;
}

std::string stories_questions_lines(const std::string& name) {
  assert(name == "stories-questions" || name == "stories-questions-train");
  const bool dev = name == "stories-questions";
  return generate_stories_questions(dev ? QuestionPart::dev : QuestionPart::train,
                                    dev ? kDevQuestions : kTrainQuestions);
}

}  // namespace bitsweep::data
