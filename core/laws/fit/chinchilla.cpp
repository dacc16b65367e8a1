// L = E + A / N^α + B / D^β: Hoffmann et al. 2022, approach 3.
#include "fit/refuse.h"
#include "fit/sum_of_powers.h"

namespace bitsweep::fit {
namespace {

class ChinchillaLaw : public SumOfPowers {
 public:
  explicit ChinchillaLaw(const std::vector<Point>& points)
      : SumOfPowers(points, {Axis::params, Axis::tokens}, {{"E", -1, -1, -1}, {"A", 0, 0, -1}, {"B", 1, 1, -1}},
                    {{"alpha", kExponentMin, kExponentMax, exponent_starts(15)},
                     {"beta", kExponentMin, kExponentMax, exponent_starts(15)}}) {}

  std::string name() const override { return "chinchilla"; }
  std::string formula() const override { return "L = E + A / N^alpha + B / D^beta"; }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    refuse_few_configurations(points, dimension(), name(), reasons);
    refuse_unidentified_axes(points, reasons);
    refuse_mixed_labels(points, reasons);
    return reasons;
  }
};

}  // namespace

std::unique_ptr<Law> make_chinchilla_law(const std::vector<Point>& points, const LawChoice&) {
  return std::make_unique<ChinchillaLaw>(points);
}

}  // namespace bitsweep::fit
