// Learning rate and batch as laws: of each place (a variant's size and tokens) the best of what was tried, from a
// quadratic of log loss about it, and across places lr* ∝ N^a D^b and batch* ∝ N^c D^d (Porian et al. 2024; Li et al.
// 2025, "Step Law"). Pure.
//
// A place whose best lies at an end of what was tried, or whose loss does not bend upwards on both sides, tells a bound
// and no optimum: it is counted, and not fitted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/fit.h"

namespace bitsweep::analysis {

struct CellTable;

// One configuration, seeds taken together.
struct SettingRun {
  size_t size_class = 0, budget_class = 0;  // runs that agree in both are one place
  double params = 0, tokens = 0;
  double lr = 0;
  double batch = 0;  // 0: not known
  double loss = 0;
  std::optional<double> seed_sd;  // of the loss, between seeds
};

// What was tried says of the best value.
enum class Tuning {
  none,      // one value
  pair,      // two: which is lower
  low_end,   // the best is the least that was tried
  high_end,  // … the largest
  flat,      // an inner best, and no bend that the noise lets see
  found
};

struct SettingOptimum {
  double log_value = 0, sd = 0;  // natural logarithm, and its standard error
  double curvature = 0;          // ∂² log loss / ∂ (log value)²
};

struct SettingPlace {
  size_t size_class = 0, budget_class = 0;
  double params = 0, tokens = 0;            // of the run of the lowest loss
  double best_lr = 0, best_batch = 0;       // of that run
  size_t runs = 0, rates = 0, batches = 0;  // rates: at its batch
  Tuning lr_tuning = Tuning::none, batch_tuning = Tuning::none;
  std::optional<SettingOptimum> lr, batch;  // where found
};

struct SettingValue {
  double value = 0;
  fit::Interval interval;  // 95 %, of the best value at one place: the law's error and places about it
  double log_value = 0, log_sd = 0, freedom = 0;
};

// value* = exp(middle) · (N / N̄)^params · (D / D̄)^tokens.
struct SettingPower {
  size_t places = 0;
  std::optional<double> params, tokens;               // exponents; nothing where the design does not tell
  std::optional<double> params_half, tokens_half;     // half-widths of their 95 % intervals
  bool together = false;                              // tokens grew with parameters: one exponent stands for both
  bool few = false;                                   // places for one exponent and not for two
  double log_params = 0, log_tokens = 0, middle = 0;  // N̄, D̄
  double between = 0;                                 // sd of places about the law, in log value
  double freedom = 0;
  std::vector<std::vector<double>> covariance;  // of middle and the exponents that are there
  // Nothing is known of an axis without an exponent: the value is that of the places' middle.
  SettingValue at(double size, double length) const;
};

struct SettingLaw {
  std::string variant;
  std::vector<SettingPlace> places;                     // with a known rate; ascending size, then tokens
  std::optional<SettingPower> lr, batch;                // three places found, or more
  std::optional<double> lr_curvature, batch_curvature;  // median over the places found
  double noise = 0;                                     // sd of log loss about the quadratics
  bool noise_assumed = false;                           // neither quadratics nor seeds tell it

  size_t count(Tuning tuning) const;  // places, by rate
  const SettingPlace* place(size_t size_class, size_t budget_class) const;
};

SettingLaw setting_law(const std::vector<SettingRun>& runs, std::string variant);
// A variant's cells with a rate.
SettingLaw setting_law(const CellTable& table, const std::string& variant);

// What a rate other than the best costs: of the loss, as a fraction.
struct SettingPenalty {
  double expected = 0;
  fit::Interval interval;  // 95 %
};
// By the curvature; with the best itself uncertain, no rate costs nothing.
SettingPenalty setting_penalty(const SettingValue& best, double used, double curvature);

}  // namespace bitsweep::analysis
