#include "train/task_answers.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/task_metrics.h"
#include "data/question_text.h"
#include "examples/rows.h"
#include "tasks/fitting.h"
#include "tasks/load_tasks.h"
#include "tasks/run_task.h"

namespace bitsweep::train {
namespace {

// "squad: f1 0.412, em 0.300 …".
std::string summary_of(const tasks::AnswerFile& file) {
  std::string text;
  for (const MetricKind& kind : task_metric_kinds(file.task.kind, file.task.name))
    if (const auto found = file.metrics.find(kind.name); found != file.metrics.end())
      text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ", kind.name.substr(file.task.name.size() + 1),
                          found->second);
  return fmt::format("{}: {}", file.task.name, text);
}

}  // namespace

TaskSet open_tasks(const std::vector<spec::TaskSpec>& specs, const spec::DataSpec& data, const data::Dataset& dataset) {
  if (specs.empty()) return {};
  TaskSet set{tasks::load_tasks(specs, data::question_text), dataset.tokenizer(), {}};
  if (set.tokenizer == nullptr)
    throw Error(ErrorKind::input,
                "tasks are texts, and the run names no tokenizer that says which tokens stand for them");
  if (dataset.of_examples()) set.begin = examples::begin_token(*set.tokenizer);
  if (data.documents == "bos") set.begin = set.tokenizer->facts().bos;
  if (data.documents == "eos") set.begin = set.tokenizer->facts().eos;
  for (tasks::Task& task : set.tasks)
    tasks::keep_what_fits(task, *set.tokenizer, static_cast<size_t>(data.context), set.begin);
  return set;
}

json::object questions_of(const TaskSet& set) {
  json::object digests;
  for (const tasks::Task& task : set.tasks) digests[task.spec.name] = questions_digest(task);
  return digests;
}

std::vector<MetricKind> metric_kinds_of(const TaskSet& set) {
  std::vector<MetricKind> kinds;
  for (const tasks::Task& task : set.tasks)
    for (MetricKind& kind : task_metric_kinds(task.spec.kind, task.spec.name, task.chance))
      kinds.push_back(std::move(kind));
  return kinds;
}

AskedTasks ask_tasks(const TaskSet& set, bool all, tasks::LanguageModel& model, const std::string& run, int64_t step,
                     const fs::path& folder, Notes& log) {
  AskedTasks asked;
  for (const tasks::Task& task : set.tasks) {
    if (!all && task.spec.when != "every") continue;
    tasks::AnswerFile file = run_task(task, *set.tokenizer, model, set.begin);
    file.run = run;
    file.step = step;
    asked.files.push_back(folder / tasks::answer_file_name(task.spec.name, step));
    write_file_atomic(asked.files.back(), answer_lines(file));
    asked.metrics.insert(file.metrics.begin(), file.metrics.end());
    log.progress(summary_of(file));
    for (const std::string& note : file.notes) log.note(fmt::format("{}: {}", task.spec.name, note));
  }
  return asked;
}

TaskModelSettings task_model_settings(const spec::RunSpec& spec, const TaskSet& tasks, const nn::StepContext& step,
                                      c10::Device device) {
  return {.context = spec.data.context,
          .rows = std::max<int64_t>(1, spec.train.batch / spec.train.accumulate),
          .vocab = tasks.tokenizer != nullptr ? tasks.tokenizer->vocab() : 0,
          .step = step,
          .device = device,
          .precision = parse_precision(spec.train.precision)};
}

}  // namespace bitsweep::train
