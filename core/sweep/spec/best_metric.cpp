#include "spec/best_metric.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/task_metrics.h"

namespace bitsweep::spec {
namespace {

// Corpora that ask: room data's induction tasks.
bool has_answers(const DataSpec& data) {
  return data.corpus == "repeat" || data.corpus == "copy" || data.corpus == "needle";
}

void add_ranking(std::vector<MetricKind> kinds, std::vector<MetricKind>& out) {
  for (MetricKind& kind : kinds)
    if (kind.better != Better::neither) out.push_back(std::move(kind));
}

// The task that tells it at the last evaluation alone; null: there is none.
const TaskSpec* asked_too_late(const RunSpec& run) {
  for (const TaskSpec& task : run.eval.tasks) {
    if (task.when == "every") continue;
    for (const MetricKind& kind : task_metric_kinds(task.kind, task.name))
      if (kind.name == run.checkpoint.best) return &task;
  }
  return nullptr;
}

}  // namespace

std::vector<MetricKind> ranking_metrics(const RunSpec& run) {
  std::vector<MetricKind> kinds;
  add_ranking(known_metric_kinds({"val_bpc", "train_bpc"}), kinds);
  if (!run.data.is_bytes()) add_ranking(known_metric_kinds({"val_bpt"}), kinds);
  if (has_answers(run.data)) add_ranking(known_metric_kinds({"answer_accuracy", "answer_loss_bits"}), kinds);
  for (const TaskSpec& task : run.eval.tasks)
    if (task.when == "every") add_ranking(task_metric_kinds(task.kind, task.name), kinds);
  for (const AlsoSpec& text : run.eval.also) kinds.push_back(text.metric_kind());
  return kinds;
}

std::optional<MetricKind> best_metric(const RunSpec& run) {
  const std::vector<MetricKind> kinds = ranking_metrics(run);
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const MetricKind& kind) { return kind.name == run.checkpoint.best; });
  return found == kinds.end() ? std::nullopt : std::optional(*found);
}

std::optional<Conflict> best_metric_conflict(const RunSpec& run) {
  const std::string& name = run.checkpoint.best;
  if (name == CheckpointSpec{}.best || best_metric(run)) return std::nullopt;
  if (const TaskSpec* task = asked_too_late(run))
    return Conflict{"checkpoint.best",
                    fmt::format("'{}' is told at the end alone, when there is nothing to choose; give the task '{}' "
                                "when: every",
                                name, task->name)};
  std::vector<std::string> names;
  for (const MetricKind& kind : ranking_metrics(run)) names.push_back(kind.name);
  return Conflict{"checkpoint.best",
                  fmt::format("'checkpoint.best' must be a metric that the run tells, and of which more or less is "
                              "better ({}), found '{}'{}",
                              fmt::join(names, ", "), name, did_you_mean(name, names))};
}

}  // namespace bitsweep::spec
