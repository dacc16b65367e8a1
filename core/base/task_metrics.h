// What a task tells of a run, by the task's kind: NAME.acc, NAME.f1 … The words that sweep files, workers and reports
// share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metric_kind.h"

namespace bitsweep {

// choice | continue | generate.
const std::vector<std::string>& task_kinds();

// The metrics of a task of this kind and name, the one that sums it up first; nothing for an unknown kind. `chance`: of
// its accuracy, where guessing has one.
std::vector<MetricKind> task_metric_kinds(std::string_view kind, const std::string& name,
                                          std::optional<double> chance = {});

// Whether it is what sums up a task (NAME.acc, NAME.f1) or an induction task (answer_accuracy): what tables of runs
// show unasked.
bool is_headline_metric(std::string_view name);
std::vector<std::string> headline_metrics(const MetricKinds& kinds);
// NAME.n of the task that NAME.acc, NAME.bpb … are of: how many questions it asked. "" of what is no task's.
std::string question_count_of(std::string_view metric);

}  // namespace bitsweep
