// L = E + A / x^α along one axis: x = N (parameters) or D (tokens). Kaplan et al. 2020 with a floor.
#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fit/refuse.h"
#include "fit/sum_of_powers.h"

namespace bitsweep::fit {
namespace {

class PowerLaw : public SumOfPowers {
 public:
  PowerLaw(const std::vector<Point>& points, Axis axis)
      : SumOfPowers(points, {axis}, {{"E", -1, -1, -1}, {"A", 0, 0, -1}},
                    {{"alpha", kExponentMin, kExponentMax, exponent_starts(250)}}),
        axis_(axis) {}

  std::string name() const override { return "power"; }
  std::string formula() const override {
    return fmt::format("L = E + A / {}^alpha", axis_ == Axis::params ? "N" : "D");
  }
  std::string axis() const override { return axis_name(axis_); }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    refuse_few_values(points, axis_, dimension(), name(), reasons);
    refuse_other_axis_varies(points, axis_, reasons);
    refuse_mixed_labels(points, reasons);
    return reasons;
  }

 private:
  Axis axis_;
};

// The axis with more different values; parameters when they tie.
Axis varying_axis(const std::vector<Point>& points) {
  return distinct_values(points, Axis::tokens) > distinct_values(points, Axis::params) ? Axis::tokens : Axis::params;
}

}  // namespace

std::unique_ptr<Law> make_power_law(const std::vector<Point>& points, const LawChoice& choice) {
  if (choice.axis.empty()) return std::make_unique<PowerLaw>(points, varying_axis(points));
  if (choice.axis == "params") return std::make_unique<PowerLaw>(points, Axis::params);
  if (choice.axis == "tokens") return std::make_unique<PowerLaw>(points, Axis::tokens);
  throw Error(ErrorKind::input, fmt::format("unknown axis '{}'{}; known: params, tokens", choice.axis,
                                            did_you_mean(choice.axis, {"params", "tokens"})));
}

}  // namespace bitsweep::fit
