#include "fit/checkpoints.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/statistics.h"
#include "base/units.h"

namespace bitsweep::fit {
namespace {

constexpr size_t kFewestEven = 10;     // evenly spaced token counts that no design of runs has
constexpr size_t kFewestWithStep = 5;  // the same where the table also has a step
constexpr double kSameGap = 0.01, kSameSize = 1e-3;
constexpr double kMostlyEven = 0.75;  // share of the gaps

// How far a row's run had come.
double position(const PointRow& row) { return row.point.tokens > 0 ? row.point.tokens : row.step.value_or(0); }

void in_order(const std::vector<PointRow>& rows, std::vector<size_t>& run) {
  std::stable_sort(run.begin(), run.end(), [&](size_t a, size_t b) {
    // An unfinished row may not tell how far it came: it stands where it is written.
    const double left = position(rows[a]), right = position(rows[b]);
    return left > 0 && right > 0 ? left < right : a < b;
  });
}

bool one_size(const std::vector<PointRow>& rows, const std::vector<size_t>& run) {
  const PointRow* first = nullptr;
  for (const size_t i : run) {
    const Point& p = rows[i].point;
    if (!rows[i].counts()) continue;
    if (first == nullptr) first = &rows[i];
    const Point& f = first->point;
    if (std::abs(p.params - f.params) > kSameSize * f.params || p.variant != f.variant || p.dataset != f.dataset ||
        p.seed != f.seed)
      return false;
  }
  return true;
}

// Different places on the way: rows of one run at one place are no checkpoints.
bool moves(const std::vector<PointRow>& rows, const std::vector<size_t>& run) {
  return std::any_of(run.begin(), run.end(), [&](size_t i) { return position(rows[i]) != position(rows[run[0]]); });
}

std::vector<double> places_of(const std::vector<PointRow>& rows, const std::vector<size_t>& run) {
  std::vector<double> places;
  for (const size_t i : run) places.push_back(position(rows[i]));
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

// A setting in which rows that tell it differ: they are several runs. "" for none.
std::string unlike(const std::vector<PointRow>& rows, const std::vector<size_t>& run,
                   const std::vector<std::string>& settings) {
  for (const std::string& name : settings) {
    std::set<std::string> told;
    for (const size_t i : run)
      if (const auto cell = rows[i].cells.find(name); cell != rows[i].cells.end() && !cell->second.empty())
        told.insert(cell->second);
    if (told.size() > 1) return name;
  }
  return "";
}

std::vector<std::vector<size_t>> by_run(std::vector<PointRow>& rows, bool guessed, const RunSettings& settings,
                                        std::vector<std::string>& notes) {
  std::map<std::string, std::vector<size_t>> named;
  std::vector<std::string> order;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& run = rows[i].point.run;
    if (run.empty()) continue;
    const auto [at, added] = named.try_emplace(run);
    if (added) order.push_back(run);
    at->second.push_back(i);
  }
  size_t several = 0, runs_indeed = 0;
  std::vector<std::pair<std::string, std::string>> apart;
  for (const auto& [run, members] : named) {
    if (members.size() < 2) continue;
    ++several;
    const std::vector<double> places = places_of(rows, members);
    const std::string differs = unlike(rows, members, settings.held);
    if (!differs.empty()) apart.emplace_back(run, differs);
    const bool even = !guessed || (places.size() >= kFewestWithStep && evenly_spaced(places));
    runs_indeed += even && differs.empty() && one_size(rows, members);
  }
  // Names that are those of families.
  for (const auto& [run, differs] : apart)
    for (const size_t i : named[run]) rows[i].point.run.clear();
  if (!apart.empty() && !guessed)
    notes.push_back(fmt::format(
        "{} of {} names in the column of runs hold rows that differ in {} ({}): these are runs of their own",
        apart.size(), named.size(), apart[0].second, apart[0].first));
  const bool names_runs = several > 0 && 2 * runs_indeed >= several;
  std::vector<std::vector<size_t>> runs;
  for (const std::string& run : order) {
    std::vector<size_t>& members = named[run];
    if (names_runs && members.size() > 1 && !rows[members[0]].point.run.empty() && one_size(rows, members) &&
        moves(rows, members))
      runs.push_back(std::move(members));
  }
  if (!names_runs && guessed)
    for (PointRow& row : rows) row.point.run.clear();
  return runs;
}

// Runs that no column names: rows of one size and the same settings.
std::vector<std::vector<size_t>> by_spacing(std::vector<PointRow>& rows, const RunSettings& settings) {
  std::map<std::string, std::vector<size_t>> alike;
  std::vector<std::string> order;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Point& p = rows[i].point;
    if (!p.run.empty() || !(p.params > 0 || rows[i].step)) continue;
    std::string key = fmt::format("{}|{}|{}|{}", p.params, p.variant, p.dataset, p.seed.value_or(-1));
    for (const auto* names : {&settings.held, &settings.rates})
      for (const std::string& name : *names)
        if (const auto cell = rows[i].cells.find(name); cell != rows[i].cells.end()) key += "|" + cell->second;
    const auto [at, added] = alike.try_emplace(key);
    if (added) order.push_back(key);
    at->second.push_back(i);
  }
  std::vector<std::vector<size_t>> runs;
  for (const std::string& key : order) {
    std::vector<size_t>& members = alike[key];
    const std::vector<double> places = places_of(rows, members);
    const bool steps = std::any_of(members.begin(), members.end(), [&](size_t i) { return rows[i].step.has_value(); });
    if (places.size() >= (steps ? kFewestWithStep : kFewestEven) && evenly_spaced(places))
      runs.push_back(std::move(members));
  }
  return runs;
}

// "1M parameters", "1M parameters of v70, seed 3": what such a run is called.
std::string name_of(const Point& p, size_t number) {
  std::string name = p.params > 0 ? format_count(p.params) + " parameters" : "run";
  if (!p.variant.empty()) name += " of " + p.variant;
  if (!p.dataset.empty()) name += " on " + p.dataset;
  if (p.seed) name += fmt::format(", seed {}", *p.seed);
  return fmt::format("{} (run {})", name, number);
}

// The last row that counts, or, where the run did not finish, the row that says so.
size_t end_of(const std::vector<PointRow>& rows, const std::vector<size_t>& run) {
  if (!rows[run.back()].state.finished()) return run.back();
  for (size_t k = run.size(); k-- > 0;)
    if (rows[run[k]].counts()) return run[k];
  return run.back();
}

}  // namespace

bool evenly_spaced(const std::vector<double>& ascending) {
  if (ascending.size() < 3) return false;
  std::vector<double> gaps;
  for (size_t i = 1; i < ascending.size(); ++i) gaps.push_back(ascending[i] - ascending[i - 1]);
  const double usual = median(gaps);
  if (!(usual > 0)) return false;
  const auto even = std::count_if(gaps.begin(), gaps.end(), [&](double gap) {
    return std::abs(gap / usual - std::max(std::round(gap / usual), 1.0)) < kSameGap && gap < 4.5 * usual;
  });
  return static_cast<double>(even) >= kMostlyEven * static_cast<double>(gaps.size());
}

std::vector<std::vector<size_t>> find_checkpoints(PointTable& table, bool run_guessed, const RunSettings& settings) {
  std::vector<PointRow>& rows = table.rows;
  std::vector<std::vector<size_t>> runs = by_run(rows, run_guessed, settings, table.notes);
  for (std::vector<size_t>& run : by_spacing(rows, settings)) {
    const std::string name = name_of(rows[run[0]].point, runs.size() + 1);
    for (const size_t i : run) rows[i].point.run = name;
    runs.push_back(std::move(run));
  }
  for (std::vector<size_t>& run : runs) in_order(rows, run);
  return runs;
}

void use_checkpoints(PointTable& table, const std::vector<std::vector<size_t>>& runs, CheckpointUse use) {
  if (use == CheckpointUse::none || runs.empty()) return;
  std::vector<bool> drop(table.rows.size(), false);
  int64_t checkpoints = 0;
  for (const std::vector<size_t>& run : runs) {
    const size_t end = end_of(table.rows, run);
    const auto told = std::count_if(run.begin(), run.end(), [&](size_t i) { return table.rows[i].counts(); });
    if (table.rows[end].state.finished()) checkpoints += told;
    for (const size_t i : run) {
      PointRow& row = table.rows[i];
      if (use == CheckpointUse::last || !table.rows[end].state.finished()) {
        drop[i] = i != end;
        row.point.checkpoints = i == end ? told : 0;
      } else {
        row.point.checkpoints = row.counts();
        row.point.within_run = true;
      }
    }
  }
  std::vector<PointRow> kept;
  for (size_t i = 0; i < drop.size(); ++i)
    if (!drop[i]) kept.push_back(std::move(table.rows[i]));
  table.rows = std::move(kept);
  table.notes.push_back(fmt::format("{} run{}, {} checkpoints: {}", runs.size(), runs.size() == 1 ? "" : "s",
                                    checkpoints,
                                    use == CheckpointUse::last ? "the last checkpoint of a run is its point "
                                                                 "(--checkpoints none: each row is a run)"
                                                               : "all are points, and intervals "
                                                                 "resample whole runs"));
}

}  // namespace bitsweep::fit
