#include "query/calibration.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/statistics.h"

namespace bitsweep::query {
namespace {

constexpr double kNormal95 = 1.959964;

// The half-width of a normal interval of this level, in standard deviations; by bisection on erf.
double normal_half_width(double level) {
  double low = 0, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < level ? low : high) = middle;
  }
  return low;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::pair<double, double> wilson(double hits, double n) {
  const double z2 = kNormal95 * kNormal95, p = hits / n;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kNormal95 / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

bool is_over(const PredictionRow& row) {
  return row.state == "done" || row.state == "failed" || row.state == "stopped" || row.state == "cancelled";
}

ScoredPrediction score(PredictionRow row) {
  ScoredPrediction scored;
  const bool interval = row.lower && row.upper;
  if (row.measured) {
    scored.error = *row.measured - row.loss;
    scored.verdict = !interval                                                    ? Verdict::without_interval
                     : *row.lower <= *row.measured && *row.measured <= *row.upper ? Verdict::hit
                                                                                  : Verdict::miss;
    const double sd = interval ? (*row.upper - *row.lower) / 2 / normal_half_width(row.level) : 0;
    if (sd > 0) scored.standardised = *scored.error / sd;
  } else if (is_over(row)) {
    scored.verdict = Verdict::void_run;
  }
  scored.row = std::move(row);
  return scored;
}

// Width, and for a miss the distance to the interval at 2/(1 − level) times its weight.
double interval_score(const PredictionRow& row) {
  const double below = std::max(0.0, *row.lower - *row.measured), above = std::max(0.0, *row.measured - *row.upper);
  return (*row.upper - *row.lower + 2 / (1 - row.level) * (below + above)) / *row.measured;
}

void count(Calibration& all, Verdict verdict) {
  switch (verdict) {
    case Verdict::pending:
      ++all.pending;
      break;
    case Verdict::hit:
      ++all.hits;
      break;
    case Verdict::miss:
      ++all.misses;
      break;
    case Verdict::without_interval:
      ++all.without_interval;
      break;
    case Verdict::void_run:
      ++all.void_runs;
      break;
  }
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

}  // namespace

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::hit:
      return "hit";
    case Verdict::miss:
      return "miss";
    case Verdict::without_interval:
      return "no interval";
    case Verdict::void_run:
      return "void";
    case Verdict::pending:
      break;
  }
  return "pending";
}

Calibration calibrate(std::vector<PredictionRow> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const PredictionRow& a, const PredictionRow& b) {
    return a.made != b.made ? a.made < b.made : a.id < b.id;
  });
  Calibration all;
  std::map<std::string, size_t> last;
  for (PredictionRow& row : rows) {
    all.predictions.push_back(score(std::move(row)));
    const std::string& run = all.predictions.back().row.run;
    if (run.empty()) continue;
    const auto [known, fresh] = last.emplace(run, all.predictions.size() - 1);
    if (!fresh) all.predictions[known->second].last = false;
    known->second = all.predictions.size() - 1;
  }
  std::vector<double> levels, widths, errors, relative, scores;
  for (const ScoredPrediction& p : all.predictions) {
    if (!p.last) continue;
    count(all, p.verdict);
    if (p.error) errors.push_back(std::abs(*p.error) / *p.row.measured), relative.push_back(*p.error / *p.row.measured);
    if (p.verdict != Verdict::hit && p.verdict != Verdict::miss) continue;
    levels.push_back(p.row.level);
    widths.push_back((*p.row.upper - *p.row.lower) / 2 / p.row.loss);
    scores.push_back(interval_score(p.row));
  }
  if (!errors.empty()) {
    all.median_error = median(errors);
    all.bias = mean(relative);
  }
  if (all.scored() == 0) return all;
  const double n = static_cast<double>(all.scored());
  all.nominal = mean(levels);
  all.sharpness = median(widths);
  all.interval_score = mean(scores);
  all.coverage = static_cast<double>(all.hits) / n;
  all.coverage_interval = wilson(static_cast<double>(all.hits), n);
  return all;
}

json::object to_json(const ScoredPrediction& p) {
  const PredictionRow& row = p.row;
  json::value interval = nullptr;
  if (row.lower && row.upper) interval = json::array{finite_or_null(*row.lower), finite_or_null(*row.upper)};
  return {{"id", row.id},
          {"run", text_or_null(row.run)},
          {"variant", text_or_null(row.variant)},
          {"law", row.law},
          {"made", row.made},
          {"maker", text_or_null(row.maker)},
          {"version", text_or_null(row.version)},
          {"fit", row.fit ? json::value(*row.fit) : json::value(nullptr)},
          {"data", text_or_null(row.data)},
          {"params", row.params},
          {"tokens", row.tokens},
          {"loss", row.loss},
          {"interval", std::move(interval)},
          {"level", row.level},
          {"extrapolation", finite_or_null(row.extrapolation)},
          {"state", text_or_null(row.state)},
          {"measured", finite_or_null(row.measured)},
          {"error", finite_or_null(p.error)},
          {"standardised", finite_or_null(p.standardised)},
          {"verdict", to_text(p.verdict)},
          {"last", p.last}};
}

json::object to_json(const Calibration& all) {
  json::array predictions;
  for (const ScoredPrediction& p : all.predictions) predictions.push_back(to_json(p));
  json::value around = nullptr;
  if (all.coverage_interval) around = json::array{all.coverage_interval->first, all.coverage_interval->second};
  return {{"hits", all.hits},
          {"misses", all.misses},
          {"pending", all.pending},
          {"without_interval", all.without_interval},
          {"void", all.void_runs},
          {"nominal", finite_or_null(all.nominal)},
          {"coverage", finite_or_null(all.coverage)},
          {"coverage_interval", std::move(around)},
          {"sharpness", finite_or_null(all.sharpness)},
          {"median_error", finite_or_null(all.median_error)},
          {"bias", finite_or_null(all.bias)},
          {"interval_score", finite_or_null(all.interval_score)},
          {"predictions", std::move(predictions)}};
}

std::string calibration_words(const Calibration& all) {
  std::string text;
  const auto add = [&](std::string part) { text += (text.empty() ? "" : "; ") + std::move(part); };
  if (all.scored() > 0) {
    add(fmt::format(
        "{} of {} run{} ended within {} {:.0f} % interval{} (at this number coverage is known as {:.0f} to "
        "{:.0f} %)",
        all.hits, all.scored(), all.scored() == 1 ? "" : "s", all.scored() == 1 ? "its" : "their", 100 * *all.nominal,
        all.scored() == 1 ? "" : "s", 100 * all.coverage_interval->first, 100 * all.coverage_interval->second));
    add(fmt::format("half of the intervals are narrower than ±{:.2g} % of the loss", 100 * *all.sharpness));
  }
  if (all.median_error)
    add(fmt::format("the median error is {:.2g} %, the mean {:+.2g} %", 100 * *all.median_error, 100 * *all.bias));
  if (all.pending > 0) add(fmt::format("{} {} still to come", all.pending, all.pending == 1 ? "is" : "are"));
  if (all.void_runs > 0) add(fmt::format("{} ended without a loss to compare", all.void_runs));
  return text;
}

}  // namespace bitsweep::query
