#include "predict/extrapolate.h"

#include <algorithm>
#include <cmath>

#include "fit/curve.h"
#include "fit/fit.h"
#include "spec/lr_schedule.h"

namespace bitsweep::predict {
namespace {

constexpr size_t kFewest = 6;
constexpr int64_t kKnots = 500;  // of the schedule, between which it is taken for straight

std::vector<fit::RateAt> rates_of(const spec::TrainSpec& train) {
  std::vector<fit::RateAt> rates;
  const int64_t apart = std::max<int64_t>(1, train.steps / kKnots);
  const auto add = [&](int64_t step) {
    if (rates.empty() || static_cast<double>(step) > rates.back().step)
      rates.push_back({static_cast<double>(step), learning_rate(train, step)});
  };
  for (int64_t step = 0; step < train.steps; step += apart) {
    if (train.warmup > step - apart && train.warmup < step) add(train.warmup);
    add(step);
  }
  add(train.steps);
  return rates;
}

// The loss at the target by the law of the first `count` points, and the scatter about it.
std::optional<schedule::Extrapolation> read_off(const std::vector<fit::Point>& points, size_t count,
                                                const fit::ScheduleArea& target) {
  fit::FitOptions options;
  options.law = "curve";
  options.resamples = 0;
  options.second_opinions = false;
  fit::Target end;
  end.params = end.tokens = 1;
  end.lr_area = target.lr_area;
  end.annealing = target.annealing;
  options.targets = {end};
  const fit::FitResult fit = fit_law({points.begin(), points.begin() + static_cast<std::ptrdiff_t>(count)}, options);
  if (!fit.has_params() || !fit.residual_sd || fit.predictions.empty() || !fit.predictions[0].loss) return std::nullopt;
  const double loss = *fit.predictions[0].loss;
  if (!std::isfinite(loss) || loss <= 0) return std::nullopt;
  return schedule::Extrapolation{loss, loss * *fit.residual_sd};
}

}  // namespace

std::optional<schedule::Extrapolation> extrapolate_curve(const schedule::RunCurve& run, const spec::TrainSpec& train) {
  std::vector<double> steps;
  std::vector<fit::Point> points;
  for (const schedule::LossAt& at : run.losses) {
    if (at.step <= train.warmup || at.step > train.steps || !(at.loss > 0)) continue;
    steps.push_back(static_cast<double>(at.step));
    fit::Point& point = points.emplace_back();
    point.params = point.tokens = 1;
    point.loss = at.loss;
  }
  if (points.size() < kFewest) return std::nullopt;
  steps.push_back(static_cast<double>(train.steps));
  const std::vector<fit::ScheduleArea> areas = schedule_areas(rates_of(train), steps);
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].lr_area = areas[i].lr_area;
    points[i].annealing = areas[i].annealing;
  }
  auto end = read_off(points, points.size(), areas.back());
  const auto before = read_off(points, (2 * points.size() + 2) / 3, areas[points.size() - 1]);
  if (!end || !before) return std::nullopt;
  end->sd = std::hypot(end->sd, before->loss - points.back().loss);
  return end;
}

}  // namespace bitsweep::predict
