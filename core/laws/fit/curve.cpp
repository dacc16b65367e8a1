// L = L0 + A·S1^−α − C·S2 over the checkpoints of a run: see curve.h.
#include "fit/curve.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "fit/refuse.h"
#include "fit/sum_of_powers.h"

namespace bitsweep::fit {
namespace {

constexpr int kFewestCheckpoints = 5;

class CurveLaw : public SumOfPowers {
 public:
  explicit CurveLaw(const std::vector<Point>& points)
      : SumOfPowers(points, {Axis::lr_area}, {{"L0", -1, -1, -1}, {"A", 0, 0, -1}, {"C", -1, 1, -1}},
                    {{"alpha", kExponentMin, kExponentMax, exponent_starts(190)}}) {
    for (const Point& p : points) scale_ = std::max(scale_, p.annealing);
    if (!(scale_ > 0)) scale_ = 1;
  }

  std::string name() const override { return "curve"; }
  std::string formula() const override { return "L = L0 + A / S1^alpha - C S2"; }
  bool within_runs() const override { return true; }

  // log S1, centred, and S2 as a share of the largest.
  Eigen::ArrayXXd coordinates(const std::vector<Point>& points) const override {
    Eigen::ArrayXXd x(points.size(), 2);
    for (size_t i = 0; i < points.size(); ++i) {
      x(i, 0) = std::log(points[i].lr_area) - center(0);
      x(i, 1) = points[i].annealing / scale_;
    }
    return x;
  }

  void evaluate(const Eigen::ArrayXXd& x, const Eigen::VectorXd& shapes, int order, Basis& basis) const override {
    SumOfPowers::evaluate(x, shapes, order, basis);
    basis.value.col(2) = -x.col(1);
  }

  std::vector<NamedValue> named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const override {
    auto values = SumOfPowers::named(amplitudes, shapes);
    values[2].value /= scale_;
    return values;
  }

  void from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                  Eigen::VectorXd& shapes) const override {
    SumOfPowers::from_named(values, amplitudes, shapes);
    amplitudes[2] *= scale_;
  }

  std::optional<Plane> level(int index, double value) const override {
    return SumOfPowers::level(index, index == 2 ? value * scale_ : value);
  }

  std::vector<std::vector<double>> share_starts() const override {
    std::vector<std::vector<double>> shares;
    for (const double e : {0.02, 0.2, 0.4, 0.6, 0.75, 0.85, 0.92, 0.97}) {
      for (const double c : {1e-3, 1e-2, 0.1}) shares.push_back({e, 1 - e, c});
    }
    return shares;  // 24, times 190 exponents: 4,560 starts
  }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    std::vector<double> areas;
    bool annealed = false;
    for (const Point& p : points) areas.push_back(p.lr_area), annealed |= p.annealing > 0;
    std::sort(areas.begin(), areas.end());
    const auto count = std::unique(areas.begin(), areas.end()) - areas.begin();
    if (count < kFewestCheckpoints)
      reasons.push_back(fmt::format("too few points: {} checkpoint{} cannot determine the {} parameters of 'curve'",
                                    count, count == 1 ? "" : "s", dimension()));
    else if (!annealed)
      reasons.push_back(
          "the learning rate never falls (S2 is zero everywhere): what annealing gains cannot be read off");
    refuse_mixed_labels(points, reasons);
    return reasons;
  }

 private:
  double scale_ = 0;
};

// Σ_{k=1..m} λ^(m−k) = (1 − λ^m) / (1 − λ): the momentum of a fall of 1 a step over m steps.
double momentum_sum(double momentum, double steps) {
  return momentum < 1 ? -std::expm1(steps * std::log(momentum)) / (1 - momentum) : steps;
}

// Schedules walked in stretches over which the rate is a straight line; sums over a stretch are closed forms.
class Walk {
 public:
  Walk(const std::vector<RateAt>& schedule, double momentum) : schedule_(schedule), momentum_(momentum) {}

  ScheduleArea to(double step) {
    while (at_ < step) {
      while (next_ < schedule_.size() && schedule_[next_].step <= at_) ++next_;
      const double end = next_ < schedule_.size() ? std::min(step, schedule_[next_].step) : step;
      stretch(end);
    }
    return area_;
  }

 private:
  double rate(double step) const {
    if (schedule_.empty()) return 0;
    if (next_ == 0 || next_ >= schedule_.size()) return next_ == 0 ? schedule_.front().lr : schedule_.back().lr;
    const RateAt &low = schedule_[next_ - 1], &high = schedule_[next_];
    return low.lr + (high.lr - low.lr) * (step - low.step) / (high.step - low.step);
  }

  void stretch(double end) {
    const double steps = end - at_, from = rate(at_), to = rate(end);
    const double fall = std::max(0.0, from - to) / steps;  // a step; a rise is warmup and counts in S1 alone
    area_.lr_area += 0.5 * (from + to) * steps;
    // m_i = λ^i m_0 + fall·(1 − λ^i)/(1 − λ), summed over i = 1 … steps.
    const double sum = momentum_sum(momentum_, steps);
    const double kept = momentum_ * sum;
    area_.annealing +=
        kept * push_ + fall * (momentum_ < 1 ? (steps - kept) / (1 - momentum_) : 0.5 * steps * (steps + 1));
    push_ = std::pow(momentum_, steps) * push_ + fall * sum;
    at_ = end;
  }

  const std::vector<RateAt>& schedule_;
  double momentum_;
  double at_ = 0, push_ = 0;
  size_t next_ = 0;
  ScheduleArea area_;
};

}  // namespace

std::vector<ScheduleArea> schedule_areas(const std::vector<RateAt>& schedule, const std::vector<double>& steps,
                                         double momentum) {
  Walk walk(schedule, momentum);
  std::vector<ScheduleArea> areas;
  for (const double step : steps) areas.push_back(walk.to(step));
  return areas;
}

std::unique_ptr<Law> make_curve_law(const std::vector<Point>& points, const LawChoice&) {
  return std::make_unique<CurveLaw>(points);
}

}  // namespace bitsweep::fit
