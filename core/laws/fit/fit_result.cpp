#include <algorithm>
#include <cmath>

#include "fit/fit.h"

namespace bitsweep::fit {

FitOptions parameters_alone(FitOptions options) {
  options.resamples = 0;
  options.second_opinions = false;
  options.again = true;
  return options;
}

std::optional<double> named_value(const std::vector<NamedValue>& values, const std::string& name) {
  const auto same = [&](const NamedValue& v) { return v.name == name; };
  const auto found = std::find_if(values.begin(), values.end(), same);
  return found == values.end() ? std::nullopt : std::optional(found->value);
}

std::optional<double> FitResult::param(const std::string& name) const { return named_value(params, name); }

Eigen::ArrayXd FitResult::log_fitted() const {
  Eigen::ArrayXd fitted(static_cast<Eigen::Index>(fits.size()));
  for (size_t i = 0; i < fits.size(); ++i) fitted[static_cast<Eigen::Index>(i)] = std::log(fits[i].fitted);
  return fitted;
}

}  // namespace bitsweep::fit
