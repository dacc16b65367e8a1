// Whether a fitted law describes its points: residuals against noise, runs of one sign, and what the law alone would
// have said of the largest runs.
//
// A law may be determined to the last digit and still be wrong by a few per cent in a way that has a pattern; its
// exponents are then no findings, and what it predicts needs room for the pattern (surface.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/fit.h"
#include "fit/hold_out.h"

namespace bitsweep::fit {

// Residuals that have one sign for longer than chance along an axis (Wald, Wolfowitz 1940), or differ between its
// levels by more than within them.
struct Pattern {
  std::string axis;                      // "parameters", "tokens", "compute"
  double p = 1;                          // of it by chance, the smaller of both tests
  double low = 0, middle = 0, high = 0;  // mean residual of log loss in the thirds of the configurations, ascending
};

struct Adequacy {
  bool judged = false;              // else there are too few configurations to tell
  double scatter = 0;               // of log loss about the law, root mean square
  std::optional<double> noise;      // of log loss, where it can be told: repeated seeds, else neighbours
  std::string noise_source;         // in words
  double misfit = 0;                // root mean square of what has a pattern, of log loss
  std::vector<Pattern> patterns;    // those beyond chance
  std::optional<HoldOut> held_out;  // the largest fifth, from the others; of 300 at most
  std::vector<std::string> words;   // what is wrong, or why nobody can tell, a sentence each

  bool adequate() const { return words.empty(); }
};

// Of a law fitted to these points. `fit` is fit_law(points, options).
Adequacy judge_law(const std::vector<Point>& points, const FitOptions& options, const FitResult& fit);

// What of the fit is not determined to the widths below, a sentence each: the division of budgets (a_opt) and the
// losses of the targets. Where it is not empty, exponents are no findings.
constexpr double kDeterminedAOpt = 0.1;   // half of the interval's width
constexpr double kDeterminedLoss = 0.05;  // … of a target's, relative to its loss
std::vector<std::string> undetermined(const FitResult& fit);

json::object adequacy_json(const Adequacy& adequacy);

}  // namespace bitsweep::fit
