// A run's tasks asked of its model: answers into the attempt's folder, metrics to the caller.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/notes.h"
#include "data/dataset.h"
#include "spec/run_spec.h"
#include "tasks/questions.h"
#include "train/task_model.h"

namespace bitsweep::train {

// Tasks with their questions, and what the run's texts are cut into tokens by.
struct TaskSet {
  std::vector<tasks::Task> tasks;
  std::shared_ptr<const tokenize::Tokenizer> tokenizer;  // of any task
  std::optional<tokenize::TokenId> begin;                // what stood before each document in training
};

// Throws Error{input} with what is wrong with any of the files, for a task of which nothing fits into data.context,
// and for a dataset of tokens without their vocabulary.
TaskSet open_tasks(const std::vector<spec::TaskSpec>& specs, const spec::DataSpec& data, const data::Dataset& dataset);

// By the name of each, a digest of what it asks (tasks/questions.h).
json::object questions_of(const TaskSet& tasks);

// How their metrics are to be read.
std::vector<MetricKind> metric_kinds_of(const TaskSet& tasks);

struct AskedTasks {
  std::map<std::string, double> metrics;
  std::vector<fs::path> files;  // of answers
};
// `when`: those alone that are asked at every evaluation, or all. Tells `log` of each, and what it has to say.
AskedTasks ask_tasks(const TaskSet& tasks, bool all, tasks::LanguageModel& model, const std::string& run, int64_t step,
                     const fs::path& folder, Notes& log);

// Of a run in an evaluation at `step` steps done.
TaskModelSettings task_model_settings(const spec::RunSpec& spec, const TaskSet& tasks, const nn::StepContext& step,
                                      c10::Device device);

}  // namespace bitsweep::train
