#include "analysis/sweep_points.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "analysis/law_points.h"
#include "analysis/other_loss.h"
#include "base/error.h"
#include "fit/curve.h"

namespace bitsweep::analysis {
namespace {

// A cell of the table of a sweep's runs, by the name of its column.
std::optional<std::string> cell_of(const query::RunRow& run, const query::ComparableGroup& group,
                                   const std::string& variant, const std::string& column) {
  const auto tokens = static_cast<double>(run.tokens);
  if (column == "params") return fmt::format("{}", static_cast<double>(run.params));
  if (column == "tokens") return fmt::format("{}", tokens);
  if (column == "loss") return fmt::format("{}", run.last_val_bpc.value_or(0));
  if (column == "unique_tokens") return fmt::format("{}", run.epochs && *run.epochs > 0 ? tokens / *run.epochs : 0.0);
  if (column == "variant") return variant;
  if (column == "dataset") return group.label;
  if (column == "run") return run.id;
  if (column == "seed") return fmt::format("{}", run.seed);
  const json::value* value = run.axes.if_contains(column);
  if (value == nullptr) return std::nullopt;
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

void refuse_unknown_columns(const std::vector<MeasuredRun>& runs, const fit::RowFilter& where) {
  for (const std::string& column : where.columns()) {
    const auto has = [&](const MeasuredRun& run) { return cell_of(run.row, {}, "", column).has_value(); };
    if (std::none_of(runs.begin(), runs.end(), has))
      throw Error(ErrorKind::input, fmt::format("--where: no run has '{}'; known: params, tokens, loss, unique_tokens, "
                                                "variant, dataset, run, seed, and what varies in the sweep",
                                                column));
  }
}

// The checkpoints of a run, with the areas of its schedule by the rates it was evaluated at.
void add_curve(const query::Query& query, const fit::Point& end, std::vector<fit::Point>& points) {
  std::vector<fit::RateAt> schedule;
  std::vector<double> steps, losses;
  for (const query::EvalRow& eval : query.evals(end.run)) {
    if (!eval.lr || !eval.val_bpc || eval.step <= 0) continue;
    schedule.push_back({static_cast<double>(eval.step), *eval.lr});
    steps.push_back(static_cast<double>(eval.step));
    losses.push_back(*eval.val_bpc);
  }
  const std::vector<fit::ScheduleArea> areas = schedule_areas(schedule, steps);
  for (size_t i = 0; i < steps.size(); ++i) {
    fit::Point p = end;
    p.loss = losses[i];
    p.lr_area = areas[i].lr_area;
    p.annealing = areas[i].annealing;
    points.push_back(std::move(p));
  }
}

// Of one group, in the order of its runs.
std::vector<fit::Point> points_of_group(const std::vector<MeasuredRun>& runs, const RunGroup& g,
                                        const PointRule& rule) {
  std::vector<std::pair<size_t, fit::Point>> by_run;
  for (const std::string& variant : g.table.variants) {
    LawPoints law = points_of(runs, g, variant, rule);
    for (size_t i = 0; i < law.points.size(); ++i) by_run.emplace_back(law.runs[i], std::move(law.points[i]));
  }
  std::sort(by_run.begin(), by_run.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<fit::Point> points;
  for (auto& [run, point] : by_run) points.push_back(std::move(point));
  return points;
}

}  // namespace

SweepPoints points_of_sweeps(const query::Query& query, const std::vector<std::string>& sweeps,
                             const SweepPointsOptions& options) {
  const bool other_loss = !options.loss.empty() && options.loss != "val_bpc";
  if (other_loss && options.checkpoints)
    throw Error(ErrorKind::input,
                fmt::format("--loss {}: a law within runs is of val_bpc, which every evaluation tells", options.loss));
  ReportInput input;
  for (query::RunRow& row : query.runs_of(sweeps)) input.runs.emplace_back().row = std::move(row);
  input.datasets = query.datasets();
  if (other_loss) take_loss(query, options.loss, input);
  const std::vector<MeasuredRun>& runs = input.runs;
  refuse_unknown_columns(runs, options.where);
  const auto holds = [&](size_t run, const query::ComparableGroup& group, const std::string& variant) {
    return options.where.keeps(
        [&](const std::string& column) { return cell_of(runs[run].row, group, variant, column); });
  };
  PointRule rule;
  rule.all_settings = options.all_settings || options.checkpoints;
  rule.incomplete = true;  // a law of one axis can do without the other
  SweepPoints found;
  for (const RunGroup& g : group_runs(runs, input.datasets, holds)) {
    found.datasets[g.group.label] = g.group.dataset;
    for (size_t k = 0; k < g.group.runs.size(); ++k) {
      const size_t run = g.group.runs[k];
      const std::string reason = exclusion_reason(runs[run].row);
      if (!reason.empty() && holds(run, g.group, g.variant_of[k])) ++found.left_out[reason];
    }
    std::vector<fit::Point> points = points_of_group(runs, g, rule);
    if (const size_t others = g.usable.size() - points.size(); others > 0)
      found.left_out["another setting is better at their size and tokens (--all-settings takes them too)"] +=
          static_cast<int>(others);
    for (fit::Point& point : points) {
      if (options.checkpoints)
        add_curve(query, point, found.points);
      else
        found.points.push_back(std::move(point));
    }
  }
  return found;
}

void keep_where(ReportInput& input, const fit::RowFilter& where) {
  if (where.empty()) return;
  refuse_unknown_columns(input.runs, where);
  std::vector<bool> kept(input.runs.size(), false);
  for (const RunGroup& g : group_runs(input.runs, input.datasets))
    for (size_t k = 0; k < g.group.runs.size(); ++k) {
      const size_t run = g.group.runs[k];
      kept[run] = where.keeps(
          [&](const std::string& column) { return cell_of(input.runs[run].row, g.group, g.variant_of[k], column); });
    }
  std::vector<MeasuredRun> runs;
  for (size_t i = 0; i < input.runs.size(); ++i)
    if (kept[i]) runs.push_back(std::move(input.runs[i]));
  input.runs = std::move(runs);
  if (input.runs.empty()) throw Error(ErrorKind::input, "--where leaves no run");
}

void drop_largest_losses(ReportInput& input, int count) {
  std::vector<size_t> finished;
  for (size_t i = 0; i < input.runs.size(); ++i)
    if (exclusion_reason(input.runs[i].row).empty()) finished.push_back(i);
  std::stable_sort(finished.begin(), finished.end(), [&](size_t a, size_t b) {
    return *input.runs[a].row.last_val_bpc < *input.runs[b].row.last_val_bpc;
  });
  if (static_cast<size_t>(count) >= finished.size() && count > 0)
    throw Error(ErrorKind::input, "--drop-largest-loss leaves no run");
  std::vector<size_t> dropped(finished.end() - count, finished.end());
  std::sort(dropped.rbegin(), dropped.rend());
  for (const size_t i : dropped) input.runs.erase(input.runs.begin() + static_cast<std::ptrdiff_t>(i));
}

}  // namespace bitsweep::analysis
