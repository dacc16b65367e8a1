#include "base/task_metrics.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep {
namespace {

struct TaskMetric {
  std::string_view name;
  Better better;
  std::string_view unit, help;
  bool guessed;  // guessing among the choices has a chance
};

constexpr std::string_view kFraction = "fraction";
constexpr TaskMetric kChoice[] = {
    {"acc", Better::higher, kFraction, "questions whose right choice is the likeliest", true},
    {"acc_norm", Better::higher, kFraction, "the same by log-likelihood per character of the choice", true},
    {"acc_bytes", Better::higher, kFraction, "the same by log-likelihood per byte of the choice", true},
    {"bpb", Better::lower, "bits per byte", "loss on the right choices", false},
    {"acc_se", Better::neither, kFraction, "standard error of acc over the questions", false},
    {"n", Better::neither, "questions", "questions asked", false}};
constexpr TaskMetric kContinue[] = {
    {"acc", Better::higher, kFraction, "continuations of which every token is the likeliest", false},
    {"bpb", Better::lower, "bits per byte", "loss on the continuations", false},
    {"acc_se", Better::neither, kFraction, "standard error of acc over the items", false},
    {"n", Better::neither, "questions", "items asked", false}};
constexpr TaskMetric kGenerate[] = {
    {"f1", Better::higher, kFraction, "words shared with the best of the answers (SQuAD)", false},
    {"em", Better::higher, kFraction, "answers that are one of those given, but for case, punctuation and articles",
     false},
    {"contains", Better::higher, kFraction, "replies that hold one of the answers", false},
    {"exact_ci", Better::higher, kFraction, "replies that are an answer letter for letter, but for case", false},
    {"f1_se", Better::neither, kFraction, "standard error of f1 over the questions", false},
    {"n", Better::neither, "questions", "questions asked", false}};

template <size_t N>
std::vector<MetricKind> kinds_of(const TaskMetric (&metrics)[N], const std::string& name,
                                 std::optional<double> chance) {
  std::vector<MetricKind> kinds;
  for (const TaskMetric& m : metrics)
    kinds.push_back({fmt::format("{}.{}", name, m.name), m.better, std::string(m.unit),
                     m.guessed ? chance : std::nullopt, std::string(m.help)});
  return kinds;
}

}  // namespace

const std::vector<std::string>& task_kinds() {
  static const std::vector<std::string> kKinds{"choice", "continue", "generate"};
  return kKinds;
}

std::vector<MetricKind> task_metric_kinds(std::string_view kind, const std::string& name,
                                          std::optional<double> chance) {
  if (kind == "choice") return kinds_of(kChoice, name, chance);
  if (kind == "continue") return kinds_of(kContinue, name, chance);
  if (kind == "generate") return kinds_of(kGenerate, name, chance);
  return {};
}

bool is_headline_metric(std::string_view name) {
  return name == "answer_accuracy" || name.ends_with(".acc") || name.ends_with(".f1");
}

std::vector<std::string> headline_metrics(const MetricKinds& kinds) {
  std::vector<std::string> names = kinds.names();
  std::erase_if(names, [](const std::string& name) { return !is_headline_metric(name); });
  return names;
}

std::string question_count_of(std::string_view metric) {
  const size_t dot = metric.rfind('.');
  return dot == std::string_view::npos ? "" : fmt::format("{}.n", metric.substr(0, dot));
}

}  // namespace bitsweep
