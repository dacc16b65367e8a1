#include "report/run_table.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/task_metrics.h"
#include "base/units.h"
#include "query/run_columns.h"
#include "render/format.h"

namespace bitsweep::report {
namespace {

std::string axes_text(const json::object& axes) {
  std::string text;
  for (const auto& member : axes)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", std::string_view(member.key()),
                        query::cell_text(member.value()));
  return text;
}

std::string shown(const query::RunRow& run, const std::string& column, const MetricKinds& kinds) {
  if (column == "axes") return run.axes.empty() ? "-" : axes_text(run.axes);
  const json::value value = run_column(run, column);
  if (!value.is_number()) return query::cell_text(value, "-");
  const double number = value.to_number<double>();
  if (column == "best_val_bpc" || column == "last_val_bpc") return fmt::format("{:.4f}", number);
  if (column == "wall_s") return format_duration(number);
  if (column == "epochs") return fmt::format("{:.3g}", number);
  if (column == "flops") return fmt::format("{:.3g}", number);
  if (column == "peak_rss_bytes") return format_bytes(number);
  if (column == "submitted" || column == "started" || column == "ended") return format_utc(number);
  static const std::set<std::string> kCounts = {"params", "params_nonembedding", "params_extra", "tokens",
                                                "tokens_per_s"};
  if (kCounts.count(column) > 0) return format_count(number);
  if (run.metrics.contains(column)) return metric_text(number, kinds.find(column));
  return query::cell_text(value, "-");
}

// Of these runs, or of others: then it has no metric's kind, and a section of a run before its dot.
bool is_axis(const std::vector<query::RunRow>& runs, const std::string& column, const MetricKinds& kinds) {
  const auto any = [&](auto has) { return std::any_of(runs.begin(), runs.end(), has); };
  if (any([&](const query::RunRow& run) { return run.axes.contains(column); })) return true;
  if (kinds.find(column) != nullptr || any([&](const query::RunRow& run) { return run.metrics.contains(column); }))
    return false;
  for (const char* section : {"model.", "data.", "train.", "eval.", "checkpoint."})
    if (column.starts_with(section)) return true;
  return false;
}

// The axis "train.lr" as "lr" where no other column ends so. A metric keeps its name: "stories.bpc" as "bpc" would be
// taken for the run's own loss.
std::string title_of(const std::vector<query::RunRow>& runs, const std::string& column,
                     const std::vector<std::string>& columns, const MetricKinds& kinds) {
  const auto last_part = [](const std::string& name) { return name.substr(name.rfind('.') + 1); };
  static const std::vector<std::pair<std::string, std::string>> kTitles = {
      {"exit_cause", "cause"},        {"best_val_bpc", "best"}, {"last_val_bpc", "last"},
      {"answer_accuracy", "answers"}, {"wall_s", "wall"},       {"tokens_per_s", "tok/s"}};
  for (const auto& [name, title] : kTitles)
    if (name == column) return title;
  if (!is_axis(runs, column, kinds)) return column;
  const std::string last = last_part(column);
  const auto same =
      std::count_if(columns.begin(), columns.end(), [&](const std::string& c) { return last_part(c) == last; });
  return same > 1 ? column : last;
}

bool is_number_column(const std::vector<query::RunRow>& runs, const std::string& column) {
  bool any = false;
  for (const query::RunRow& run : runs) {
    const json::value value = run_column(run, column);
    if (value.is_null()) continue;
    if (!value.is_number()) return false;
    any = true;
  }
  return any;
}

template <typename Cell>
render::Table table_of(const std::vector<query::RunRow>& runs, const std::vector<std::string>& columns,
                       const MetricKinds* titles, Cell cell) {
  render::Table table;
  for (const std::string& column : columns)
    table.columns.push_back({titles != nullptr ? title_of(runs, column, columns, *titles) : column,
                             is_number_column(runs, column) ? render::Align::right : render::Align::left});
  for (const query::RunRow& run : runs) {
    std::vector<std::string>& row = table.rows.emplace_back();
    for (const std::string& column : columns) row.push_back(cell(run, column));
  }
  return table;
}

}  // namespace

std::vector<std::string> default_run_columns(const std::vector<query::RunRow>& runs) {
  std::vector<std::string> columns = {"id", "state"};
  const auto any = [&](auto predicate) { return std::any_of(runs.begin(), runs.end(), predicate); };
  if (any([](const query::RunRow& r) { return !r.exit_cause.empty(); })) columns.push_back("exit_cause");
  if (any([&](const query::RunRow& r) { return r.sweep != runs.front().sweep; })) columns.push_back("sweep");
  columns.insert(columns.end(), {"plugin", "params", "tokens"});
  for (const std::string& axis : varying_axes(runs))
    if (axis != "model.plugin" && axis != "model.params" && axis != "train.tokens") columns.push_back(axis);
  if (any([&](const query::RunRow& r) { return r.seed != runs.front().seed; })) columns.push_back("seed");
  columns.insert(columns.end(), {"best_val_bpc", "last_val_bpc"});
  std::set<std::string> metrics;
  for (const query::RunRow& run : runs)
    for (const auto& [name, value] : run.metrics)
      if (is_headline_metric(name)) metrics.insert(name);
  for (const std::string& name : metrics) {
    columns.push_back(name);
    // How many questions, where the rows were not asked as many.
    const std::string count = question_count_of(name);
    std::set<double> counts;
    for (const query::RunRow& run : runs)
      if (const auto told = run.metrics.find(count); told != run.metrics.end()) counts.insert(told->second);
    if (counts.size() > 1) columns.push_back(count);
  }
  columns.insert(columns.end(), {"wall_s", "tokens_per_s"});
  if (any([](const query::RunRow& r) { return r.attempts > 1; })) columns.push_back("attempts");
  return columns;
}

std::string metric_text(double value, const MetricKind* kind) {
  if (kind != nullptr && kind->unit == "fraction") return fmt::format("{:.1f} %", 100 * value);
  if (kind != nullptr && kind->unit == "bits per byte") return render::format_bpc(value);
  return fmt::format("{:.4g}", value);
}

std::vector<std::string> metrics_told(const std::vector<std::string>& columns, const MetricKinds& kinds) {
  std::vector<std::string> told;
  for (const std::string& column : columns) {
    const MetricKind* kind = is_headline_metric(column) ? kinds.find(column) : nullptr;
    if (kind == nullptr) continue;
    std::string text = fmt::format("{}: {}", column, kind->help);
    if (kind->chance) text += fmt::format("; by chance {}", metric_text(*kind->chance, kind));
    told.push_back(std::move(text));
  }
  return told;
}

render::Table run_table(const std::vector<query::RunRow>& runs, const std::vector<std::string>& columns,
                        const MetricKinds& kinds) {
  return table_of(runs, columns, &kinds,
                  [&](const query::RunRow& run, const std::string& column) { return shown(run, column, kinds); });
}

render::Table raw_run_table(const std::vector<query::RunRow>& runs, const std::vector<std::string>& columns) {
  return table_of(runs, columns, nullptr, [](const query::RunRow& run, const std::string& column) {
    return query::cell_text(run_column(run, column));
  });
}

}  // namespace bitsweep::report
