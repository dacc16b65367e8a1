#include "tasks/questions.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/units.h"

namespace bitsweep::tasks {
namespace {

constexpr uint64_t kDrawsAnItem = UINT64_C(1) << 20;

uint64_t seed_of(std::string_view task) {
  uint64_t seed = 0;
  const std::string digits = sha256_hex(task).substr(0, 16);
  std::from_chars(digits.data(), digits.data() + digits.size(), seed, 16);
  return seed;
}

void require_examples(const spec::TaskSpec& spec, const ItemSet& from, bool own) {
  const auto there = static_cast<int64_t>(from.items.size()) - (own ? 1 : 0);
  if (spec.shots <= there) return;
  throw Error(ErrorKind::input, fmt::format("task '{}': {} shots are asked for, and '{}' has {} {}items", spec.name,
                                            spec.shots, from.file, there, own ? "other " : ""));
}

std::vector<std::string> continuations_of(const Layout& layout, const Item& item, const std::string& kind,
                                          const std::string& prompt) {
  std::vector<std::string> texts;
  if (kind == "continue") texts.push_back(layout.answer(item, prompt, item.answers[0]));
  for (const std::string& choice : item.choices) texts.push_back(layout.answer(item, prompt, choice));
  return texts;
}

}  // namespace

std::string Question::text(size_t count) const {
  std::string whole;
  for (size_t i = shots.size() - std::min(count, shots.size()); i < shots.size(); ++i) whole += shots[i];
  return whole + prompt;
}

std::vector<size_t> draw_shots(std::string_view task, size_t item, size_t shots, size_t count, bool own) {
  const uint64_t seed = seed_of(task);
  std::vector<size_t> drawn;
  for (uint64_t draw = item * kDrawsAnItem; drawn.size() < shots; ++draw) {
    const size_t one = random_below(seed, static_cast<uint64_t>(Stream::shots), draw, count);
    if ((own && one == item) || std::find(drawn.begin(), drawn.end(), one) != drawn.end()) continue;
    drawn.push_back(one);
  }
  return drawn;
}

std::optional<double> chance_of(const std::vector<Question>& questions) {
  double sum = 0;
  for (const Question& question : questions) {
    if (question.choices.empty()) return std::nullopt;
    sum += 1.0 / static_cast<double>(question.choices.size());
  }
  return sum / static_cast<double>(questions.size());
}

Task make_task(const spec::TaskSpec& spec, const ItemSet& items, const ItemSet* examples) {
  const bool own = examples == nullptr;
  const ItemSet& from = own ? items : *examples;
  require_examples(spec, from, own);
  const Layout layout(spec, items);
  const Layout of_examples(spec, from);
  Task task{.spec = spec, .questions = {}, .stops = spec.stop, .chance = {}, .notes = items.notes, .left_out = {}};
  if (task.stops.empty()) task.stops = layout.stops();
  const size_t count =
      spec.limit > 0 ? std::min(items.items.size(), static_cast<size_t>(spec.limit)) : items.items.size();
  if (count < items.items.size())
    task.notes.push_back(fmt::format("Asked are the first {}.", format_thousands(static_cast<int64_t>(count))));
  for (size_t i = 0; i < count; ++i) {
    const Item& item = items.items[i];
    Question question{.id = item.id,
                      .asked = item.fields.at("question"),
                      .shots = {},
                      .prompt = layout.prompt(item),
                      .continuations = {},
                      .choices = item.choices,
                      .gold = item.gold,
                      .answers = item.answers};
    question.continuations = continuations_of(layout, item, spec.kind, question.prompt);
    for (const size_t k : draw_shots(spec.name, i, static_cast<size_t>(spec.shots), from.items.size(), own)) {
      const Item& shot = from.items[k];
      const std::string prompt = of_examples.prompt(shot);
      question.shots.push_back(prompt + of_examples.answer(shot, prompt, shot.right_answer()) + spec.delimiter);
    }
    task.questions.push_back(std::move(question));
  }
  task.chance = chance_of(task.questions);
  return task;
}

std::string questions_digest(const Task& task) {
  Sha256 hash;
  for (const Question& q : task.questions)
    hash.update(canonical_json(json::array{q.id, q.prompt, strings_json(q.shots), strings_json(q.continuations),
                                           strings_json(q.choices), q.gold, strings_json(q.answers)}) +
                "\n");
  return hash.hex().substr(0, 12);
}

}  // namespace bitsweep::tasks
