#include "tasks/summary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tasks/reply_score.h"

namespace bitsweep::tasks {
namespace {

constexpr const char* kNats = "gold_nats";
constexpr const char* kBytes = "gold_bytes";

double as_number(bool yes) { return yes ? 1 : 0; }

// Code points, as Python counts them: bytes that begin one.
size_t characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Answer answer_to(const Question& question) {
  Answer answer;
  answer.item = question.id;
  answer.asked = question.asked;
  return answer;
}

template <class Length>
size_t likeliest(const Question& question, const std::vector<Likelihood>& likelihoods, Length length) {
  size_t best = 0;
  const auto score = [&](size_t i) { return likelihoods[i].nats / length(question.choices[i]); };
  for (size_t i = 1; i < likelihoods.size(); ++i)
    if (score(i) > score(best)) best = i;
  return best;
}

struct Moments {
  double sum = 0, squares = 0;
  int64_t count = 0;
  void add(double value) { sum += value, squares += value * value, ++count; }
  double mean() const { return sum / static_cast<double>(count); }
  // Of the mean; nothing for one value.
  std::optional<double> standard_error() const {
    if (count < 2) return std::nullopt;
    const auto n = static_cast<double>(count);
    return std::sqrt(std::max(0.0, squares / n - mean() * mean()) / (n - 1));
  }
};

}  // namespace

Answer choice_answer(const Question& question, const std::vector<Likelihood>& likelihoods) {
  Answer answer = answer_to(question);
  const size_t whole = likeliest(question, likelihoods, [](const std::string&) { return 1.0; });
  const size_t norm =
      likeliest(question, likelihoods, [](const std::string& c) { return static_cast<double>(characters(c)); });
  const size_t bytes =
      likeliest(question, likelihoods, [](const std::string& c) { return static_cast<double>(c.size()); });
  answer.said = question.choices[whole];
  answer.gold = {question.choices[question.gold]};
  answer.right = whole == question.gold;
  answer.scores = {{"acc", as_number(answer.right)},
                   {"acc_norm", as_number(norm == question.gold)},
                   {"acc_bytes", as_number(bytes == question.gold)},
                   {kNats, -likelihoods[question.gold].nats},
                   {kBytes, static_cast<double>(likelihoods[question.gold].bytes)}};
  for (const Likelihood& likelihood : likelihoods) answer.log_likelihoods.push_back(likelihood.nats);
  return answer;
}

Answer continuation_answer(const Question& question, const Likelihood& likelihood) {
  Answer answer = answer_to(question);
  answer.gold = question.answers;
  answer.right = likelihood.likeliest;
  if (answer.right) answer.said = question.answers[0];
  answer.scores = {
      {"acc", as_number(answer.right)}, {kNats, -likelihood.nats}, {kBytes, static_cast<double>(likelihood.bytes)}};
  answer.log_likelihoods = {likelihood.nats};
  return answer;
}

Answer reply_answer(const Question& question, std::string_view reply) {
  Answer answer = answer_to(question);
  const ReplyScore score = score_reply(reply, question.answers);
  answer.said = reply;
  answer.gold = question.answers;
  answer.right = score.em > 0;
  answer.scores = {{"em", score.em}, {"f1", score.f1}, {"contains", score.contains}, {"exact_ci", score.exact_ci}};
  return answer;
}

std::map<std::string, double> summarise(const spec::TaskSpec& task, const std::vector<Answer>& answers) {
  std::map<std::string, Moments> scores;
  for (const Answer& answer : answers)
    for (const auto& [name, value] : answer.scores) scores[name].add(value);
  std::map<std::string, double> metrics;
  const auto put = [&](const std::string& name, double value) { metrics[task.name + "." + name] = value; };
  for (const auto& [name, moments] : scores) {
    if (name == kNats || name == kBytes) continue;
    put(name, moments.mean());
    if (name != "acc" && name != "f1") continue;
    if (const auto error = moments.standard_error()) put(name + "_se", *error);
  }
  if (scores.contains(kNats)) put("bpb", scores[kNats].sum / scores[kBytes].sum / std::numbers::ln2);
  put("n", static_cast<double>(answers.size()));
  return metrics;
}

}  // namespace bitsweep::tasks
