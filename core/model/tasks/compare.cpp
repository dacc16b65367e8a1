#include "tasks/compare.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace bitsweep::tasks {
namespace {

constexpr size_t kMostNamed = 3;

using ById = std::unordered_map<std::string_view, const Answer*>;

ById by_id(const AnswerFile& file) {
  ById answers;
  for (const Answer& answer : file.answers) answers.emplace(answer.item, &answer);
  return answers;
}

// "3 questions that run A has not answered (q1, q2, …)"; "" for none.
std::string lacking(const AnswerFile& asked, const ById& other, const AnswerFile& of_other) {
  const std::unordered_set<std::string_view> left_out(of_other.left_out.begin(), of_other.left_out.end());
  std::vector<std::string> names;
  size_t count = 0;
  for (const Answer& answer : asked.answers)
    if (!other.contains(answer.item) && !left_out.contains(answer.item) && ++count <= kMostNamed)
      names.push_back(answer.item);
  if (count == 0) return "";
  return fmt::format("{} {} run {} was not asked ({}{})", count, count == 1 ? "question that" : "questions that",
                     of_other.run, fmt::join(names, ", "), count > kMostNamed ? ", …" : "");
}

void require_same_questions(const AnswerFile& base, const AnswerFile& tuned, const ById& of_base,
                            const ById& of_tuned) {
  std::string wrong = lacking(base, of_tuned, tuned);
  if (const std::string more = lacking(tuned, of_base, base); !more.empty())
    wrong += (wrong.empty() ? "" : "; ") + more;
  std::vector<std::string> names;
  for (const Answer& answer : base.answers)
    if (const auto other = of_tuned.find(answer.item); other != of_tuned.end() && other->second->gold != answer.gold)
      names.push_back(answer.item);
  if (!names.empty()) {
    const size_t count = names.size();
    names.resize(std::min(count, kMostNamed));
    wrong += fmt::format("{}{} with other right answers ({}{})", wrong.empty() ? "" : "; ", count,
                         fmt::join(names, ", "), count > kMostNamed ? ", …" : "");
  }
  if (wrong.empty()) return;
  throw Error(ErrorKind::input,
              fmt::format("the two were asked different questions in task '{}': {}; 'bitsweep ask' asks both the same",
                          base.task.name, wrong));
}

}  // namespace

double mcnemar_p(int64_t one_alone, int64_t other_alone) {
  const int64_t n = one_alone + other_alone, least = std::min(one_alone, other_alone);
  const auto log_factorial = [](int64_t k) { return std::lgamma(static_cast<double>(k) + 1); };
  double tail = 0;
  for (int64_t k = 0; k <= least; ++k)
    tail +=
        std::exp(log_factorial(n) - log_factorial(k) - log_factorial(n - k) - static_cast<double>(n) * std::log(2.0));
  return std::min(1.0, 2 * tail);
}

Comparison compare_answers(const AnswerFile& base, const AnswerFile& tuned) {
  const ById of_base = by_id(base), of_tuned = by_id(tuned);
  require_same_questions(base, tuned, of_base, of_tuned);
  Comparison comparison;
  for (const Answer& answer : base.answers) {
    const auto found = of_tuned.find(answer.item);
    if (found == of_tuned.end()) continue;  // left out there
    const Answer& other = *found->second;
    comparison.put_differently += answer.prompt_sha256 != other.prompt_sha256;
    if (answer.right && other.right) ++comparison.both;
    if (!answer.right && !other.right) ++comparison.neither;
    if (answer.right == other.right) continue;
    (other.right ? comparison.tuned_alone : comparison.base_alone)++;
    (other.right ? comparison.fixed : comparison.broken).push_back({&answer, &other});
  }
  if (comparison.count() == 0)
    throw Error(ErrorKind::input,
                fmt::format("task '{}': there is no question that both were scored on", base.task.name));
  comparison.one_sided = static_cast<int64_t>(base.answers.size() + tuned.answers.size()) - 2 * comparison.count();
  comparison.p = mcnemar_p(comparison.base_alone, comparison.tuned_alone);
  return comparison;
}

}  // namespace bitsweep::tasks
