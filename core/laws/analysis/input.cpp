#include "analysis/input.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/task_metrics.h"
#include "spec/run_spec.h"

namespace bitsweep::analysis {
namespace {

std::string joined(const std::vector<std::string>& names, const char* between) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : between) + name;
  return text;
}

void add_once(std::vector<fit::Target>& targets, const fit::Target& target) {
  const auto same = [&](const fit::Target& t) { return t.params == target.params && t.tokens == target.tokens; };
  if (std::none_of(targets.begin(), targets.end(), same)) targets.push_back(target);
}

// What a sweep file's `report:` asks for; several sweeps are asked together.
void add_report_settings(ReportInput& input, const query::SweepRow& sweep) {
  for (const std::string& law : sweep.settings.laws)
    if (std::find(input.laws.begin(), input.laws.end(), law) == input.laws.end()) input.laws.push_back(law);
  for (const store::SweepSettings::Target& asked : sweep.settings.targets) {
    fit::Target target;
    target.params = asked.params;
    target.tokens = asked.tokens;
    add_once(input.targets, target);
  }
}

// Most runs have one attempt, and what that said at its start is at hand.
std::vector<CodeBuild> builds_of(const query::Query& query, const query::RunRow& row, const json::object& start) {
  if (row.attempts > 1) return query.builds(row.id);
  return {{string_or(start, "plugin_build", ""), string_or(start, "nn_build", "")}};
}

// Nothing is read of runs that tell no more than their own loss.
std::vector<query::MetricRow> told_beside(const query::Query& query, const query::RunRow& row) {
  const std::vector<std::string> texts = texts_beside(row);
  if (texts.empty() && row.metrics.empty()) return {};
  std::vector<query::MetricRow> told = query.metrics(row.id);
  std::erase_if(told, [&](const query::MetricRow& metric) {
    return !is_headline_metric(metric.name) && std::find(texts.begin(), texts.end(), metric.name) == texts.end();
  });
  return told;
}

}  // namespace

std::vector<std::string> texts_beside(const query::RunRow& row) {
  const json::value* eval = row.spec.if_contains("eval");
  const json::value* also = eval != nullptr && eval->is_object() ? eval->get_object().if_contains("also") : nullptr;
  std::vector<std::string> metrics;
  if (also != nullptr && also->is_object())
    for (const auto& member : also->get_object()) {
      spec::AlsoSpec text;
      text.name = member.key();
      metrics.push_back(text.metric());
    }
  return metrics;
}

ReportInput gather_report(const query::Query& query, const std::vector<std::string>& sweeps, std::string name,
                          std::string version) {
  ReportInput input;
  for (const std::string& sweep : sweeps) {
    std::string known = query.sweep_name(sweep);
    if (std::find(input.sweeps.begin(), input.sweeps.end(), known) == input.sweeps.end())
      input.sweeps.push_back(std::move(known));
  }
  for (const std::string& sweep : input.sweeps)
    for (const query::SweepRow& row : query.sweeps())
      if (row.name == sweep) add_report_settings(input, row);
  for (query::RunRow& row : query.runs_of(input.sweeps)) {
    MeasuredRun run;
    run.curve = query.evals(row.id);
    run.attempts = query.attempts(row.id);
    run.start = query.start_facts(row.id);
    run.builds = builds_of(query, row, run.start);
    run.attention = query.pointer_health(row.id);
    run.windows = query.window_losses(row.id);
    run.told = told_beside(query, row);
    run.row = std::move(row);
    input.runs.push_back(std::move(run));
  }
  input.datasets = query.datasets();
  input.kinds = query.metric_kinds();
  input.predictions = query.predictions(input.sweeps);
  input.name = name.empty() ? joined(input.sweeps, "+") : std::move(name);
  input.source = "bitsweep report " + joined(input.sweeps, " ");
  input.version = std::move(version);
  return input;
}

ReportInput report_from_points(const std::vector<fit::Point>& points, std::string name, std::string source,
                               std::string version, const std::vector<PointSettings>& settings) {
  ReportInput input;
  input.name = std::move(name);
  input.source = std::move(source);
  input.version = std::move(version);
  for (size_t i = 0; i < points.size(); ++i) {
    const fit::Point& p = points[i];
    query::RunRow row;
    row.id = p.run.empty() ? fmt::format("row {}", i + 1) : p.run;
    row.state = RunState::done;
    row.plugin = p.variant;
    row.seed = p.seed.value_or(0);
    row.params = static_cast<int64_t>(p.params);
    row.tokens = static_cast<int64_t>(p.tokens);
    if (p.loss > 0) row.last_val_bpc = p.loss;
    if (p.best_loss > 0) row.best_val_bpc = p.best_loss;
    row.params_nonembedding = static_cast<int64_t>(p.params_nonembedding);
    if (p.flops > 0) row.flops = p.flops;
    input.checkpoints += p.checkpoints;
    if (p.unique_tokens > 0) row.epochs = p.tokens / p.unique_tokens;
    if (i < settings.size()) {
      const PointSettings& said = settings[i];
      row.spec = said.spec;
      row.steps = row.step = said.steps;
      row.wall_s = said.wall_s;
      if (said.wall_s && *said.wall_s > 0) row.tokens_per_s = p.tokens / *said.wall_s;
      row.state = run_state_from(said.state).value_or(RunState::done);
      row.exit_cause = said.exit_cause;
    }
    if (p.seed) row.spec["seed"] = *p.seed;
    if (!p.dataset.empty()) {
      json::value& data = row.spec["data"];
      if (!data.is_object()) data = json::object();
      data.get_object()["corpus"] = p.dataset;
    }
    json::object start;
    if (i < settings.size() && !settings[i].device.empty()) start["device"] = settings[i].device;
    input.runs.push_back({std::move(row), {}, {}, std::move(start), {}});
  }
  return input;
}

}  // namespace bitsweep::analysis
