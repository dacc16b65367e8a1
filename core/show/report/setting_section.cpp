#include "report/setting_section.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"

namespace bitsweep::report {
namespace {

using analysis::SettingLaw;
using analysis::SettingPower;
using analysis::Tuning;

const char* tuning_name(Tuning tuning) {
  static constexpr const char* kNames[] = {"one value",       "two values", "at its low end",
                                           "at its high end", "flat",       "found"};
  return kNames[static_cast<size_t>(tuning)];
}

std::string exponent_text(const std::optional<double>& exponent, const std::optional<double>& half) {
  return exponent
             ? fmt::format("{} ± {}", render::format_significant(*exponent, 2), render::format_significant(*half, 2))
             : std::string(render::kNothing);
}

// At the largest place that was tuned, by parameters times tokens.
std::string at_largest(const SettingLaw& law, const SettingPower& power) {
  const auto& largest = *std::max_element(law.places.begin(), law.places.end(), [](const auto& a, const auto& b) {
    return a.params * a.tokens < b.params * b.tokens;
  });
  const analysis::SettingValue best = power.at(largest.params, largest.tokens);
  return fmt::format("{} ({} to {}) at {} on {}", render::format_significant(best.value, 2),
                     render::format_significant(best.interval.first, 2),
                     render::format_significant(best.interval.second, 2), format_count(largest.params),
                     format_count(largest.tokens));
}

void add_power(const SettingLaw& law, const std::optional<SettingPower>& power, const char* what, render::Table& t) {
  if (!power) return;
  t.rows.push_back({law.variant, what, std::to_string(power->places), exponent_text(power->params, power->params_half),
                    exponent_text(power->tokens, power->tokens_half), at_largest(law, *power)});
}

// What an exponent stands for, or why it is not there.
std::string design_words(const SettingPower& power, const char* what) {
  if (power.together)
    return fmt::format("tokens grew with parameters, so that the exponent of the {} stands for both", what);
  if (power.few) return fmt::format("too few places for an exponent of tokens beside that of parameters ({})", what);
  if (!power.params && !power.tokens)
    return fmt::format("places of one size and length alone: how the {} moves is not known", what);
  if (!power.tokens) return fmt::format("one length alone was tuned: how the {} moves with tokens is not known", what);
  if (!power.params)
    return fmt::format("one size alone was tuned: how the {} moves with parameters is not known", what);
  return "";
}

std::string places_words(const SettingLaw& law) {
  const auto ends = law.count(Tuning::low_end) + law.count(Tuning::high_end);
  std::string text = fmt::format("{} of {} with an inner best rate that the loss bends about", law.count(Tuning::found),
                                 render::plural(static_cast<int64_t>(law.places.size()), "place", "places"));
  const auto add = [&](size_t count, const char* what) {
    if (count > 0) text += fmt::format("; {} {}", count, what);
  };
  add(ends, "where the best is an end of what was tried, and tells a bound alone");
  add(law.count(Tuning::flat), "where rates differ by no more than runs scatter");
  add(law.count(Tuning::pair), "with two rates: which is lower is known");
  add(law.count(Tuning::none), "with one rate");
  if (law.lr_curvature)
    text += fmt::format("; twice or half the best rate costs {} % of the loss",
                        render::format_significant(100 * *law.lr_curvature / 2 * std::pow(std::log(2), 2), 2));
  if (law.noise_assumed)
    text += fmt::format("; runs are assumed to scatter by {} %", render::format_significant(100 * law.noise, 2));
  return text;
}

json::value power_json(const std::optional<SettingPower>& power) {
  if (!power) return nullptr;
  const auto exponent = [](const std::optional<double>& value, const std::optional<double>& half) -> json::value {
    if (!value) return nullptr;
    return json::object{{"value", finite_or_null(*value)},
                        {"interval", json::array{finite_or_null(*value - *half), finite_or_null(*value + *half)}}};
  };
  return json::object{{"places", power->places},
                      {"params_exponent", exponent(power->params, power->params_half)},
                      {"tokens_exponent", exponent(power->tokens, power->tokens_half)},
                      {"together", power->together},
                      {"at_params", finite_or_null(std::exp(power->log_params))},
                      {"at_tokens", finite_or_null(std::exp(power->log_tokens))},
                      {"value", finite_or_null(std::exp(power->middle))},
                      {"between_places", finite_or_null(power->between)}};
}

json::value optimum_json_of(const std::optional<analysis::SettingOptimum>& optimum) {
  if (!optimum) return nullptr;
  return json::object{{"value", finite_or_null(std::exp(optimum->log_value))},
                      {"log_sd", finite_or_null(optimum->sd)},
                      {"curvature", finite_or_null(optimum->curvature)}};
}

}  // namespace

std::vector<render::Block> setting_section(const analysis::GroupAnalysis& g, int level) {
  render::Table t{{{"variant"},
                   {"best"},
                   {"places", render::Align::right},
                   {"exponent of N", render::Align::right},
                   {"exponent of D", render::Align::right},
                   {"at the largest place"}},
                  {}};
  render::BulletList told;
  for (const SettingLaw& law : g.setting_laws) {
    if (law.count(Tuning::none) == law.places.size()) continue;
    add_power(law, law.lr, "learning rate", t);
    add_power(law, law.batch, "batch", t);
    told.items.push_back(render::Text().strong(law.variant) << ": " + places_words(law) + ".");
    for (const auto& [power, what] : {std::pair(&law.lr, "best rate"), std::pair(&law.batch, "best batch")})
      if (const std::string words = *power ? design_words(**power, what) : ""; !words.empty())
        told.items.push_back(render::Text().strong(law.variant) << ": " + words + ".");
  }
  if (told.items.empty()) return {};
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{level, "Learning rate and batch"});
  if (!t.empty()) {
    blocks.emplace_back(render::Paragraph{
        "The best of each size and length, by a quadratic of log loss about the lowest, and the powers of parameters "
        "N and tokens D it follows across them; ± and brackets are 95 % intervals."});
    blocks.emplace_back(render::TableBlock{std::move(t)});
  }
  blocks.emplace_back(std::move(told));
  return blocks;
}

json::array setting_json(const analysis::GroupAnalysis& g) {
  json::array list;
  for (const SettingLaw& law : g.setting_laws) {
    json::array places;
    for (const analysis::SettingPlace& p : law.places)
      places.push_back(json::object{{"params", finite_or_null(p.params)},
                                    {"tokens", finite_or_null(p.tokens)},
                                    {"runs", p.runs},
                                    {"rates", p.rates},
                                    {"batches", p.batches},
                                    {"lowest_lr", finite_or_null(p.best_lr)},
                                    {"lowest_batch", p.best_batch > 0 ? finite_or_null(p.best_batch) : json::value()},
                                    {"lr_tuning", tuning_name(p.lr_tuning)},
                                    {"batch_tuning", tuning_name(p.batch_tuning)},
                                    {"lr", optimum_json_of(p.lr)},
                                    {"batch", optimum_json_of(p.batch)}});
    list.push_back(json::object{{"variant", law.variant},
                                {"lr", power_json(law.lr)},
                                {"batch", power_json(law.batch)},
                                {"noise", finite_or_null(law.noise)},
                                {"noise_assumed", law.noise_assumed},
                                {"places", std::move(places)}});
  }
  return list;
}

}  // namespace bitsweep::report
