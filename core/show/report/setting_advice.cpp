// What learning rate and batch to take at a place, and how far off they may be.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/setting_section.h"

namespace bitsweep::report {
namespace {

// The steepest fall of the best rate with size that is published: Li et al. 2025, at equal tokens.
constexpr double kSteepestFall = 0.713;
constexpr double kSameValue = 1.25;  // a rate within this factor of the best is that

const analysis::SettingLaw* law_of(const analysis::GroupAnalysis& g, const std::string& variant) {
  for (const analysis::SettingLaw& law : g.setting_laws)
    if (law.variant == variant) return &law;
  return nullptr;
}

std::string number(double value) { return render::format_significant(value, 2); }

// "0.3 % (0.1 to 0.9 %)"
std::string percent_text(const analysis::SettingPenalty& penalty) {
  return fmt::format("{} % ({} to {} %)", number(100 * penalty.expected), number(100 * penalty.interval.first),
                     number(100 * penalty.interval.second));
}

std::string exponents_text(const analysis::SettingPower& power) {
  const auto one = [](const std::optional<double>& exponent, const std::optional<double>& half, const char* of) {
    return exponent ? fmt::format(" {}^({} ± {})", of, number(*exponent), number(*half)) : std::string();
  };
  const std::string text = one(power.params, power.params_half, "N") + one(power.tokens, power.tokens_half, "D");
  return text.empty() ? " nothing that was varied" : text;
}

// What a rate that is kept may cost at another size, while nobody knows how the best moves: by the bend of places that
// were tuned, and the steepest fall that is published.
std::string off_at_another_size(const analysis::SettingLaw& law, double params, double tuned_params) {
  const double distance = std::abs(std::log(params / tuned_params)) * kSteepestFall;
  if (!law.lr_curvature || distance < std::log(kSameValue)) return "";
  return fmt::format(
      "how the best rate moves with size is not known here: if it fell as steeply as in any published sweep (as the "
      "−{} power of the parameters), keeping this one would cost {} % of the loss, by the bend seen at {}",
      number(kSteepestFall), number(100 * *law.lr_curvature / 2 * distance * distance),
      render::plural(static_cast<int64_t>(law.count(analysis::Tuning::found)), "place", "places"));
}

SettingAdvice by_law(const analysis::SettingPower& power, const std::optional<double>& curvature, const char* what,
                     double params, double tokens, std::optional<double> kept) {
  const analysis::SettingValue best = power.at(params, tokens);
  SettingAdvice advice;
  advice.value = best.value;
  advice.interval = best.interval;
  advice.why = fmt::format("by the best of {} places, which go as{}: {} to {} in 95 of 100", power.places,
                           exponents_text(power), number(best.interval.first), number(best.interval.second));
  if (!kept || !curvature) return advice;
  advice.penalty = setting_penalty(best, *kept, *curvature);
  if (std::abs(std::log(*kept / best.value)) > std::log(kSameValue))
    advice.off = fmt::format("the {} of its run of the nearest size, {}, would cost {} of the loss there", what,
                             number(*kept), percent_text(*advice.penalty));
  return advice;
}

std::string place_words(const analysis::SettingPlace& place, const std::string& at) {
  switch (place.lr_tuning) {
    case analysis::Tuning::none:
      return fmt::format("the only rate that was tried at {}: not tuned", at);
    case analysis::Tuning::pair:
      return fmt::format("the lower of the 2 that were tried at {}: which is better is known, not where the best is",
                         at);
    case analysis::Tuning::low_end:
      return fmt::format("the best of {} at {}, but at the end of what was tried: a lower one may be better",
                         place.rates, at);
    case analysis::Tuning::high_end:
      return fmt::format("the best of {} at {}, but at the end of what was tried: a higher one may be better",
                         place.rates, at);
    case analysis::Tuning::flat:
      return fmt::format("the best of {} at {}, by no more than runs scatter", place.rates, at);
    case analysis::Tuning::found:
      break;
  }
  return fmt::format("the lowest of the curve through {} at {}", place.rates, at);
}

}  // namespace

SettingAdvice lr_advice(const analysis::GroupAnalysis& g, const std::string& variant, double params, double tokens,
                        const analysis::ReportCell& like) {
  const analysis::SettingLaw* law = law_of(g, variant);
  if (law == nullptr || !like.lr) return {};
  if (law->lr) return by_law(*law->lr, law->lr_curvature, "rate", params, tokens, like.lr);
  SettingAdvice advice;
  advice.value = like.lr;
  const analysis::SettingPlace* place = law->place(like.size_class, like.budget_class);
  if (place == nullptr) return advice;
  if (place->lr) {
    const double half = 1.96 * place->lr->sd;
    advice.value = std::exp(place->lr->log_value);
    advice.interval = {std::exp(place->lr->log_value - half), std::exp(place->lr->log_value + half)};
  }
  advice.why = place_words(*place, g.table.size_text(like.size_class));
  advice.off = off_at_another_size(*law, params, like.params);
  return advice;
}

SettingAdvice batch_advice(const analysis::GroupAnalysis& g, const std::string& variant, double params, double tokens,
                           const analysis::ReportCell& like) {
  const analysis::SettingLaw* law = law_of(g, variant);
  if (law != nullptr && law->batch && like.batch)
    return by_law(*law->batch, law->batch_curvature, "batch", params, tokens, like.batch);
  SettingAdvice advice;
  advice.value = like.batch;
  return advice;
}

}  // namespace bitsweep::report
