// L = E + A / (N·eff)^α + B / D^β with eff a number a variant, that of the reference 1: what a parameter of a variant
// is worth, in parameters of the reference. Panferov et al. 2025, "QuEST: stable training of LLMs with 1-bit weights
// and activations", section 4; Kumar et al. 2024 for the idea.
//
// A / (N·eff_v)^α = A_v / N^α with A_v = A·eff_v^−α: inside, each variant has its own amplitude, so that the law stays
// linear in all but the two exponents; eff is how that is told.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fit/refuse.h"
#include "fit/sum_of_powers.h"

namespace bitsweep::fit {
namespace {

// The reference first: it is where A is read off.
std::vector<std::string> ordered_variants(const std::vector<Point>& points, const LawChoice& choice) {
  std::vector<std::string> names = distinct_labels(points, &Point::variant);
  const std::string reference = choice.reference.empty() ? "llama" : choice.reference;
  if (const auto at = std::find(names.begin(), names.end(), reference); at != names.end())
    std::rotate(names.begin(), at, at + 1);
  return names;
}

std::vector<PowerTerm> terms_of(const std::vector<std::string>& variants) {
  std::vector<PowerTerm> terms = {{"E", -1, -1, -1}};
  for (size_t v = 0; v < variants.size(); ++v)
    terms.push_back({v == 0 ? "A" : fmt::format("A({})", variants[v]), 0, 0, static_cast<int>(v)});
  terms.push_back({"B", 1, 1, -1});
  return terms;
}

class PrecisionLaw : public SumOfPowers {
 public:
  PrecisionLaw(const std::vector<Point>& points, const std::vector<std::string>& variants, const LawChoice& choice)
      : SumOfPowers(points, {Axis::params, Axis::tokens}, terms_of(variants),
                    {{"alpha", kExponentMin, kExponentMax, exponent_starts(15)},
                     {"beta", kExponentMin, kExponentMax, exponent_starts(15)}},
                    variants),
        reference_(choice.reference.empty() ? "llama" : choice.reference) {}

  std::string name() const override { return "precision"; }
  std::string formula() const override { return "L = E + A / (N eff)^alpha + B / D^beta"; }
  bool pools_variants() const override { return true; }

  std::string missing(const Target& target) const override {
    if (std::find(labels().begin(), labels().end(), target.variant) == labels().end())
      return target.variant.empty()
                 ? "the law needs to know its variant: variant=NAME"
                 : fmt::format("no point is of variant '{}'{}", target.variant, did_you_mean(target.variant, labels()));
    return Law::missing(target);
  }

  // E, A, B, alpha, beta, then eff of every variant but the reference.
  std::vector<NamedValue> named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const override {
    const int v = variants(), b = v + 1;
    const std::vector<NamedValue> plain = SumOfPowers::named(amplitudes, shapes);
    std::vector<NamedValue> values = {plain[0], plain[1], plain[b], plain[b + 1], plain[b + 2]};
    for (int i = 1; i < v; ++i)
      values.push_back(
          {fmt::format("eff({})", labels()[i]), std::pow(amplitudes[1 + i] / amplitudes[1], -1 / shapes[0])});
    return values;
  }

  void from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                  Eigen::VectorXd& shapes) const override {
    const int v = variants();
    std::vector<double> plain = {values.at(0), values.at(1)};
    for (int i = 1; i < v; ++i) plain.push_back(values.at(1) * std::pow(values.at(4 + i), -values.at(3)));
    plain.insert(plain.end(), {values.at(2), values.at(3), values.at(4)});
    SumOfPowers::from_named(plain, amplitudes, shapes);
  }

  // log A_v − log A + α·log eff = 0.
  std::optional<Plane> level(int index, double value) const override {
    const int v = variants();
    if (index < 2) return SumOfPowers::level(index, value);
    if (index < 5) return SumOfPowers::level(index + v - 1, value);
    if (!(value > 0)) return std::nullopt;
    Plane plane{Eigen::VectorXd::Zero(dimension()), 0};
    plane.normal[index - 3] = 1, plane.normal[1] = -1;
    plane.normal[static_cast<int>(terms().size())] = std::log(value);
    return plane;
  }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    refuse_few_configurations(points, dimension(), name(), reasons);
    if (labels().empty() || labels()[0] != reference_)
      reasons.push_back(
          fmt::format("no point is of variant '{}', whose parameters would count 1{}; --reference names one of: {}",
                      reference_, did_you_mean(reference_, labels()), fmt::join(labels(), ", ")));
    else if (labels().size() < 2)
      reasons.push_back(fmt::format("all points are of variant '{}': there is none to weigh against it", reference_));
    refuse_absent(points, labels(), &Point::variant, reasons);
    refuse_unidentified_axes(points, reasons);
    refuse_mixed_datasets(points, reasons);
    return reasons;
  }

 protected:
  int label_of(const Point& point) const override {
    const auto at = std::find(labels().begin(), labels().end(), point.variant);
    return at == labels().end() ? -1 : static_cast<int>(at - labels().begin());
  }

 private:
  int variants() const { return static_cast<int>(labels().size()); }
  std::string reference_;
};

}  // namespace

std::unique_ptr<Law> make_precision_law(const std::vector<Point>& points, const LawChoice& choice) {
  return std::make_unique<PrecisionLaw>(points, ordered_variants(points, choice), choice);
}

}  // namespace bitsweep::fit
