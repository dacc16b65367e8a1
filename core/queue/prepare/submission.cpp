#include "prepare/submission.h"

#include <fmt/format.h>

#include "prepare/datasets.h"
#include "prepare/planning.h"

namespace bitsweep::prepare {
namespace {

constexpr size_t kMostNamed = 20;  // runs named one by one

json::array ids(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

std::string runs_text(size_t count) {
  return fmt::format("{} finished {}", count, count == 1 ? "run was" : "runs were");
}

// One id a line, with its sign; the rest is counted.
template <class List, class Words>
std::string listed(const char* sign, const List& list, const Words& words) {
  std::string text;
  for (size_t i = 0; i < std::min(list.size(), kMostNamed); ++i) text += fmt::format("  {} {}\n", sign, words(list[i]));
  if (list.size() > kMostNamed) text += fmt::format("  {} and {} more\n", sign, list.size() - kMostNamed);
  return text;
}

std::vector<Submission::Outdated> outdated_runs(const plan::Plan& plan) {
  std::vector<Submission::Outdated> runs;
  for (const plan::PlannedRun& run : plan.runs)
    if (run.other_build) runs.push_back({run.id, run.other_build->text()});
  return runs;
}

std::string outdated_text(const Submission& submission) {
  const size_t count = submission.outdated.size();
  if (count == 0) return "";
  std::string text =
      submission.again
          ? fmt::format("{}: {} made by another build, queued again:\n", submission.sweep, runs_text(count))
          : fmt::format("{}: {} made by another build than the one at hand; --again makes {} anew, beside what is "
                        "there:\n",
                        submission.sweep, runs_text(count), count == 1 ? "it" : "them");
  return text + listed("!", submission.outdated, [](const Submission::Outdated& run) {
           return fmt::format("{} {}", run.run, run.change);
         });
}

}  // namespace

std::vector<Submission> submit_plans(const std::vector<plan::Plan>& plans, store::Store& store, Texts& texts,
                                     Notes& notes, bool again) {
  for (const plan::Plan& plan : plans) prepare_datasets(plan, store, texts, notes);
  store::Transaction transaction(store.database());
  std::vector<Submission> submissions;
  for (const plan::Plan& plan : plans) {
    std::vector<Submission::Outdated> outdated = outdated_runs(plan);
    // Before it is counted what is done.
    if (again)
      for (const Submission::Outdated& run : outdated) store.make_anew(run.run);
    submissions.push_back({plan.sweep.name, store.submit(new_sweep(plan)), std::move(outdated), again});
  }
  transaction.commit();
  return submissions;
}

std::string submission_text(const Submission& submission) {
  const store::SubmitResult& r = submission.result;
  const size_t total = r.added.size() + r.already.size() + r.changed.size();
  std::string text = fmt::format("{}: {} run{}: {} new, {} already there", submission.sweep, total,
                                 total == 1 ? "" : "s", r.added.size(), r.already.size());
  if (!r.changed.empty()) text += fmt::format(", {} changed", r.changed.size());
  if (!r.gone.empty()) text += fmt::format(", {} gone", r.gone.size());
  text += fmt::format("; {} done\n", r.done);
  if (r.already.empty() && r.changed.empty() && r.gone.empty()) return text + outdated_text(submission);  // all new
  const auto id = [](const std::string& run) { return run; };
  text += listed("+", r.added, id);
  text += listed("~", r.changed,
                 [](const store::SubmitResult::Changed& c) { return fmt::format("{} -> {}", c.before, c.after); });
  return text + listed("-", r.gone, id) + outdated_text(submission);
}

json::object to_json(const Submission& submission) {
  const store::SubmitResult& r = submission.result;
  json::array changed;
  for (const auto& [before, after] : r.changed) changed.push_back(json::object{{"before", before}, {"after", after}});
  json::object object{{"sweep", submission.sweep},     {"new", ids(r.added)}, {"already", ids(r.already)},
                      {"changed", std::move(changed)}, {"gone", ids(r.gone)}, {"done", r.done}};
  if (submission.outdated.empty()) return object;
  json::array outdated;
  for (const auto& [run, change] : submission.outdated) outdated.push_back({{"run", run}, {"change", change}});
  object[submission.again ? "again" : "other_build"] = std::move(outdated);
  return object;
}

}  // namespace bitsweep::prepare
