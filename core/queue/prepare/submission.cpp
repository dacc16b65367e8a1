#include "prepare/submission.h"

#include <fmt/format.h>

#include "prepare/datasets.h"
#include "prepare/planning.h"

namespace bitsweep {
namespace {

constexpr size_t kMostNamed = 20;  // runs named one by one

json::array ids(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

// One id a line, with its sign; the rest is counted.
template <class List, class Words>
std::string listed(const char* sign, const List& list, const Words& words) {
  std::string text;
  for (size_t i = 0; i < std::min(list.size(), kMostNamed); ++i) text += fmt::format("  {} {}\n", sign, words(list[i]));
  if (list.size() > kMostNamed) text += fmt::format("  {} and {} more\n", sign, list.size() - kMostNamed);
  return text;
}

}  // namespace

std::vector<Submission> submit_plans(const std::vector<Plan>& plans, Store& store, Texts& texts, Notes& notes) {
  for (const Plan& plan : plans) prepare_datasets(plan, store, texts, notes);
  Transaction transaction(store.database());
  std::vector<Submission> submissions;
  for (const Plan& plan : plans) submissions.push_back({plan.sweep.name, store.submit(new_sweep(plan))});
  transaction.commit();
  return submissions;
}

std::string submission_text(const Submission& submission) {
  const SubmitResult& r = submission.result;
  const size_t total = r.added.size() + r.already.size() + r.changed.size();
  std::string text = fmt::format("{}: {} run{}: {} new, {} already there", submission.sweep, total,
                                 total == 1 ? "" : "s", r.added.size(), r.already.size());
  if (!r.changed.empty()) text += fmt::format(", {} changed", r.changed.size());
  if (!r.gone.empty()) text += fmt::format(", {} gone", r.gone.size());
  text += fmt::format("; {} done\n", r.done);
  if (r.already.empty() && r.changed.empty() && r.gone.empty()) return text;  // the first time: all are new
  const auto id = [](const std::string& run) { return run; };
  text += listed("+", r.added, id);
  text +=
      listed("~", r.changed, [](const SubmitResult::Changed& c) { return fmt::format("{} -> {}", c.before, c.after); });
  return text + listed("-", r.gone, id);
}

json::object to_json(const Submission& submission) {
  const SubmitResult& r = submission.result;
  json::array changed;
  for (const auto& [before, after] : r.changed) changed.push_back(json::object{{"before", before}, {"after", after}});
  return {{"sweep", submission.sweep},     {"new", ids(r.added)}, {"already", ids(r.already)},
          {"changed", std::move(changed)}, {"gone", ids(r.gone)}, {"done", r.done}};
}

}  // namespace bitsweep
