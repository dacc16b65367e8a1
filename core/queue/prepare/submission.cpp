#include "prepare/submission.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// "run 3fa2… takes over data.val: /a -> /b", and what of it comes too late.
std::string renewed_text(const store::SubmitResult::Renewed& renewed) {
  const auto& [run, state, change] = renewed;
  std::string text;
  if (!change.taken.empty() && is_live(state))
    text += fmt::format("  = run {} is {} and takes nothing over; submit it again when it has ended: {}\n", run,
                        to_text(state), fmt::join(change.taken, ", "));
  if (!change.taken.empty() && !is_live(state)) {
    const bool over = is_terminal(state) && state != RunState::done;
    text += fmt::format("  = run {} takes over {}{}\n", run, fmt::join(change.taken, ", "),
                        over ? fmt::format("; it is {}: 'bitsweep retry {}' tries it again", to_text(state), run) : "");
  }
  const auto asked_by_hand = [&](const char* which, const std::string& task) {
    text += fmt::format("  = run {0} is done: its {1} task '{2}' is asked by 'bitsweep ask {0} --tasks FILE'\n", run,
                        which, task);
  };
  for (const std::string& task : change.tasks) asked_by_hand("new", task);
  for (const std::string& task : change.changed_tasks) asked_by_hand("changed", task);
  for (const std::string& name : change.texts)
    text += fmt::format("  = run {} is done: the text '{}' of eval.also is not scored any more\n", run, name);
  return text;
}

std::string renewed_text(const Submission& submission) {
  const auto& renewed = submission.result.renewed;
  std::string text;
  for (size_t i = 0; i < std::min(renewed.size(), kMostNamed); ++i) text += renewed_text(renewed[i]);
  if (renewed.size() > kMostNamed) text += fmt::format("  = and {} more\n", renewed.size() - kMostNamed);
  return text;
}

json::array renewed_json(const store::SubmitResult& result) {
  json::array all;
  for (const auto& [run, state, change] : result.renewed) {
    json::array tasks = ids(change.tasks);
    for (const std::string& task : change.changed_tasks) tasks.emplace_back(task);
    all.push_back({{"run", run},
                   {"state", to_text(state)},
                   {is_live(state) ? "not_taken" : "taken", ids(change.taken)},
                   {"tasks_to_ask", std::move(tasks)},
                   {"texts_not_scored", ids(change.texts)}});
  }
  return all;
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
  const std::string rest = renewed_text(submission) + outdated_text(submission);
  if (r.already.empty() && r.changed.empty() && r.gone.empty()) return text + rest;  // all new
  const auto id = [](const std::string& run) { return run; };
  text += listed("+", r.added, id);
  text += listed("~", r.changed,
                 [](const store::SubmitResult::Changed& c) { return fmt::format("{} -> {}", c.before, c.after); });
  return text + listed("-", r.gone, id) + rest;
}

json::object to_json(const Submission& submission) {
  const store::SubmitResult& r = submission.result;
  json::array changed;
  for (const auto& [before, after] : r.changed) changed.push_back(json::object{{"before", before}, {"after", after}});
  json::object object{{"sweep", submission.sweep},     {"new", ids(r.added)}, {"already", ids(r.already)},
                      {"changed", std::move(changed)}, {"gone", ids(r.gone)}, {"done", r.done}};
  if (!r.renewed.empty()) object["renewed"] = renewed_json(r);
  if (submission.outdated.empty()) return object;
  json::array outdated;
  for (const auto& [run, change] : submission.outdated) outdated.push_back({{"run", run}, {"change", change}});
  object[submission.again ? "again" : "other_build"] = std::move(outdated);
  return object;
}

}  // namespace bitsweep::prepare
