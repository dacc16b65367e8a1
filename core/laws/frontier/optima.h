// How a budget is best divided between parameters and tokens, from what was measured first: where runs of the budget
// exist, from the best of them and the parabola about it; between such budgets, from their minima; beyond them, from
// the outermost minimum, extended as the law says. So no advice is worse than a run that was made. Pure.
//
// Where runs do not determine how sizes grow with compute, what is published of language models stands in for it
// (kUsualGrowth); `Optimum::note` says so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "fit/beyond.h"
#include "fit/fit.h"
#include "frontier/approaches.h"
#include "frontier/joint_law.h"

namespace bitsweep::frontier {

// a_opt of published laws: Hoffmann et al. 2022 0.46 to 0.50, Besiroglu et al. 2024 0.51, Grattafiori et al. 2024 0.53,
// Bi et al. 2024 0.52, Porian et al. 2024 0.50.
constexpr double kUsualGrowth = 0.5, kUsualGrowthSd = 0.1;

enum class Basis { measured, isoflop, law };
const char* basis_name(Basis basis);

struct Optimum {
  double flops = 0;
  Division best;
  std::optional<fit::Interval> loss_interval;    // of a new run there; of a repetition, where the loss is a run's
  std::optional<fit::Interval> params_interval;  // of the best size
  Basis basis = Basis::law;
  std::optional<Place> measured;  // the best run at this compute, where there is one
  std::optional<Division> law;    // what the joint law alone says
  fit::Beyond beyond;             // how far from the runs
  std::string note;               // what the division leans on besides the runs; "" for nothing
  std::string refused;            // why nothing is said of this budget; "" when something is
};

struct Optima {
  std::vector<Optimum> rows;  // in the order asked for
  double flops_per_nd = 6;    // of the largest models: C = κ·N·D
};

// `fit`: of the chinchilla law of these points, which may have refused them: the law then extends nothing.
Optima optima(const std::vector<fit::Point>& points, const fit::FitResult& fit, const Approaches& approaches,
              const std::vector<double>& budgets, double extrapolation_limit = 1000);

// Those of which something is said.
json::array optima_json(const Optima& optima);
// "1e+21 FLOPs: …" of the others.
std::vector<std::string> refusals(const Optima& optima);

}  // namespace bitsweep::frontier
