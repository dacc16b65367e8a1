// Groups of points with exponents in common: datasets, each with a floor E of its own, or variants, each with an A of
// its own. Compared by AICc with one law for all and with a law each (compare_grouping).
#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "fit/refuse.h"
#include "fit/sum_of_powers.h"

namespace bitsweep::fit {
namespace {

struct Groups {
  bool by_dataset = true;
  std::vector<std::string> names;

  std::string Point::*label() const { return by_dataset ? &Point::dataset : &Point::variant; }
  const char* noun() const { return by_dataset ? "dataset" : "variant"; }
};

// The axes along which the points differ: a joint law where both do.
std::vector<Axis> axes_of(const std::vector<Point>& points) {
  if (points.empty()) return {Axis::params, Axis::tokens};
  const auto sizes = distinct_values(points, Axis::params), budgets = distinct_values(points, Axis::tokens);
  if (budgets == 1 && sizes > 1) return {Axis::params};
  if (sizes == 1 && budgets > 1) return {Axis::tokens};
  return {Axis::params, Axis::tokens};
}

std::vector<PowerTerm> terms_of(const Groups& groups, const std::vector<Axis>& axes) {
  std::vector<PowerTerm> terms;
  const auto each = [&](const char* name, int shape, bool apart) {
    if (!apart) terms.push_back({name, shape, shape, -1});
    for (size_t g = 0; apart && g < groups.names.size(); ++g)
      terms.push_back({fmt::format("{}({})", name, groups.names[g]), shape, shape, static_cast<int>(g)});
  };
  each("E", -1, groups.by_dataset);
  each("A", 0, !groups.by_dataset);
  if (axes.size() > 1) each("B", 1, false);
  return terms;
}

std::vector<Shape> shapes_of(const std::vector<Axis>& axes) {
  if (axes.size() == 1) return {{"alpha", kExponentMin, kExponentMax, exponent_starts(250)}};
  return {{"alpha", kExponentMin, kExponentMax, exponent_starts(15)},
          {"beta", kExponentMin, kExponentMax, exponent_starts(15)}};
}

class GroupedLaw : public SumOfPowers {
 public:
  GroupedLaw(const std::vector<Point>& points, Groups groups, const std::vector<Axis>& axes)
      : SumOfPowers(points, axes, terms_of(groups, axes), shapes_of(axes), groups.names),
        groups_(std::move(groups)),
        axes_(axes) {}

  std::string name() const override { return "grouped"; }
  std::string formula() const override {
    const std::string e = groups_.by_dataset ? "E(dataset)" : "E", a = groups_.by_dataset ? "A" : "A(variant)";
    if (axes_.size() > 1) return fmt::format("L = {} + {} / N^alpha + B / D^beta", e, a);
    return fmt::format("L = {} + {} / {}^alpha", e, a, axes_[0] == Axis::params ? "N" : "D");
  }
  std::string axis() const override { return axes_.size() == 1 ? axis_name(axes_[0]) : ""; }
  bool pools_variants() const override { return !groups_.by_dataset; }
  bool pools_datasets() const override { return groups_.by_dataset; }

  std::string missing(const Target& target) const override {
    const std::string& label = groups_.by_dataset ? target.dataset : target.variant;
    if (std::find(labels().begin(), labels().end(), label) == labels().end())
      return label.empty()
                 ? fmt::format("the law needs to know its {0}: {0}=NAME", groups_.noun())
                 : fmt::format("no point is of {} '{}'{}", groups_.noun(), label, did_you_mean(label, labels()));
    return Law::missing(target);
  }

  std::vector<std::string> design_refusals(const std::vector<Point>& points) const override {
    std::vector<std::string> reasons;
    refuse_few_configurations(points, dimension(), name(), reasons);
    if (labels().size() < 2)
      reasons.push_back(fmt::format("all points are of one {}: there is nothing to tell apart", groups_.noun()));
    refuse_absent(points, labels(), groups_.label(), reasons);
    if (axes_.size() > 1) {
      refuse_unidentified_axes(points, reasons);
    } else {
      refuse_few_levels(points, axes_[0], reasons);
    }
    groups_.by_dataset ? refuse_mixed_variants(points, reasons) : refuse_mixed_datasets(points, reasons);
    return reasons;
  }

 protected:
  int label_of(const Point& point) const override {
    const auto at = std::find(labels().begin(), labels().end(), point.*groups_.label());
    return at == labels().end() ? -1 : static_cast<int>(at - labels().begin());
  }

 private:
  Groups groups_;
  std::vector<Axis> axes_;
};

}  // namespace

std::unique_ptr<Law> make_grouped_law(const std::vector<Point>& points, const LawChoice& choice) {
  if (!choice.group.empty() && choice.group != "dataset" && choice.group != "variant")
    throw Error(ErrorKind::input, fmt::format("unknown group '{}'{}; known: dataset, variant", choice.group,
                                              did_you_mean(choice.group, {"dataset", "variant"})));
  Groups groups;
  groups.by_dataset =
      choice.group == "dataset" || (choice.group.empty() && (distinct_labels(points, &Point::dataset).size() > 1 ||
                                                             distinct_labels(points, &Point::variant).size() < 2));
  groups.names = distinct_labels(points, groups.label());
  return std::make_unique<GroupedLaw>(points, std::move(groups), axes_of(points));
}

}  // namespace bitsweep::fit
