// Points in, a fitted law out, with everything a reader needs to judge it, or the reasons why there is none.
//
// The objective is the SUM over points of Huber losses (δ on the residual of log loss), as in Hoffmann et al. 2022; a
// mean with default tolerances stops early, which is the published error of the original fit (Besiroglu et al. 2024).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "fit/law.h"
#include "fit/points.h"

namespace bitsweep::fit {

class Posterior;
class Surface;

using Interval = std::pair<double, double>;

struct FitOptions {
  std::string law = "chinchilla";
  std::string axis;       // for `power`: "params", "tokens", or "" for the one that varies
  std::string reference;  // for `precision`: the variant whose parameters count 1; "": llama
  std::string group;      // for `grouped`: "dataset", "variant", or "" for the one that varies
  double delta = 1e-3;    // of the Huber loss on log loss; infinity: least squares
  double confidence = 0.95;
  int resamples = 1000;  // of the bootstrap; 0: no intervals
  uint64_t seed = 0;     // of the bootstrap; the same seed gives the same intervals
  double noise = 0.02;   // assumed |residual|, in the unit of the loss, for the feasible set
  // A target further beyond the points than this factor is refused (beyond.h); infinity: none is.
  double extrapolation_limit = 1000;
  // The second and third opinion beside the intervals: the bootstrap, and the profile likelihood of each parameter.
  bool second_opinions = true;
  // A second fit of nearly the same points, whose minimum is known well enough: one start of 23, and no check
  // by variable projection.
  bool again = false;
  bool feasible_ranges = true;  // of targets that get no interval, by linear programs
  std::vector<Target> targets;

  LawChoice choice() const { return {axis, reference, group}; }
};
// The same for the parameters alone, of points whose minimum is known well enough or of which little is asked: no
// intervals, and `again`.
FitOptions parameters_alone(FitOptions options);

struct Prediction {
  Target target;
  std::optional<double> loss;  // by the law; nothing when the fit is refused outright
  std::optional<double>
      expected;  // by the law and what it misses nearby: the best single figure, where there is an interval
  // For a new run there: the law's uncertainty, what the law misses, and the runs' scatter.
  std::optional<Interval> interval;
  std::optional<Interval>
      law_interval;  // the same if the law held exactly: narrower, and too narrow wherever it does not
  std::optional<Interval>
      feasible;              // all the law can say there with every |residual| <= noise; when there is no interval
  Beyond beyond;             // how far beyond the points
  std::string refused;       // why nothing is said of it; "" when something is
};

struct PointFit {
  double fitted = 0;    // loss by the law
  double residual = 0;  // measured − fitted, in the unit of the loss
};

struct Basin {
  double objective = 0;
  std::vector<NamedValue> params;
  int starts = 0;  // how many descents ended here
};

std::optional<double> named_value(const std::vector<NamedValue>& values, const std::string& name);

struct FitResult {
  std::string law;
  std::string formula;
  std::string axis;  // of a law of one axis
  int points = 0;
  int groups = 0;                  // configurations; seeds of one configuration are one group
  bool within_runs = false;        // points are checkpoints, and groups their runs
  std::vector<NamedValue> params;  // empty when refused outright
  double objective = 0;            // sum of Huber losses
  double delta = 0;
  int starts = 0;                             // of the grid, and the lowest ones a second time (README.md)
  int starts_at_best = 0;                     // those that ended within 1e-8 (relative) of the best objective
  std::optional<Basin> second_basin;          // the next best local minimum found
  std::vector<std::string> at_bound;          // parameters that rest on their bound
  bool identified = false;                    // every parameter is determined by the points
  std::vector<std::string> refused;           // what is not claimed and why, a sentence each
  std::vector<std::string> warnings;          // what to know before relying on it, a sentence each
  std::map<std::string, Interval> intervals;  // by parameter name, and "a_opt"; empty when refused
  std::string interval_method;                // how `intervals` were made, in words; "" when there are none
  std::map<std::string, Interval> bootstrap;  // BCa or percentiles of resampled configurations, and …
  std::map<std::string, Interval> profile;    // … profile likelihood, as the second and third opinion
  std::optional<double> a_opt;                // N_opt ∝ C^a_opt, = beta / (alpha + beta)
  std::optional<double> aicc;                 // Gaussian in log loss, K = parameters + 1
  std::optional<double> residual_sd;          // of log loss, n − p degrees of freedom
  std::optional<double> noise_sd;             // of log loss, from repeated seeds alone
  std::optional<double> condition;            // of the Jacobian at the optimum, columns scaled to length 1
  std::optional<double> projected_objective;  // least squares of the loss by variable projection, from its own search …
  std::optional<double> descended_objective;  // … and by the descent; they must agree
  double noise = 0;                           // assumed for the feasible set
  double confidence = 0;
  int resamples = 0;  // bootstrap fits behind the intervals
  // The draws behind `intervals`, and those behind the predictions; nothing where there are none.
  std::shared_ptr<const Posterior> posterior;
  std::shared_ptr<const Surface> surface;
  std::vector<PointFit> fits;           // a row a point
  std::vector<Prediction> predictions;  // a row a target

  bool has_params() const { return !params.empty(); }
  std::optional<double> param(const std::string& name) const;
  Eigen::ArrayXd log_fitted() const;  // log loss by the law at each point; empty without a fit
};

// Never throws for what the points are; only Error{input} for an unknown law or axis. Deterministic.
FitResult fit_law(const std::vector<Point>& points, const FitOptions& options);

// The law at given parameters (in the order of Law::named), for checks of other people's fits.
struct Evaluation {
  double objective = 0;  // sum of Huber losses
  std::vector<PointFit> fits;
  std::vector<double> predictions;  // a row a target
};
Evaluation evaluate_law(const std::vector<Point>& points, const std::vector<double>& named_values,
                        const FitOptions& options);

// Whether groups of points (datasets or variants) are one law, one law with an offset each, or laws of their own: three
// descriptions of the same points, compared by AICc. Nothing of a description that the points cannot carry.
struct GroupingTest {
  std::string group;                                // "dataset" or "variant"
  std::optional<double> pooled, grouped, separate;  // AICc, of log loss; lower is better
  std::string best;                                 // "pooled", "grouped", "separate", or "" when none can be had
  std::optional<double> margin;                     // AICc of the next best − that of the best
};
// Least squares of log loss. `options.group` as for the law; targets and resamples are not read.
GroupingTest compare_grouping(const std::vector<Point>& points, const FitOptions& options);

// The document of `fit --json`.
json::object fit_json(const FitResult& result);

}  // namespace bitsweep::fit
