// What a scaling law is, to the machinery that fits it.
//
// Every law of ours is a sum of terms, each an amplitude times a shape:
//
//     L(x) = Σ_k A_k φ_k(x; s),   A_k >= 0,
//
// for example Chinchilla's E·1 + A·N^-α + B·D^-β with amplitudes (E, A, B) and shapes (α, β). The fit works on
// θ = (log A_1, …, log A_K, s_1, …, s_S): the log-sum-exp parametrisation of Hoffmann et al. 2022, appendix D.3.
// Because amplitudes enter linearly, the same description serves the variable-projection check (non-negative least
// squares for A given s) and the feasible set under a bound on the noise (a linear program for A given s).
//
// A new law is one file: its terms, its shapes with bounds, its basis with first and second derivatives (analytic; the
// tests compare them with finite differences), and what the points must offer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <Eigen/Dense>

#include "fit/axis.h"
#include "fit/beyond.h"
#include "fit/points.h"

namespace bitsweep::fit {

// A parameter that enters non-linearly, with its box and the values from which the grid of starts is made.
struct Shape {
  std::string name;
  double lower = 0;
  double upper = 0;
  std::vector<double> starts;
};

// φ and its derivatives with respect to the shapes, at n points.
struct Basis {
  Eigen::ArrayXXd value;                // [n, K]
  std::vector<Eigen::ArrayXXd> first;   // S of [n, K]: ∂φ/∂s_j
  std::vector<Eigen::ArrayXXd> second;  // S(S+1)/2 of [n, K]: ∂²φ/∂s_j∂s_l, l <= j, at j(j+1)/2 + l
  Eigen::ArrayXd common;                // [n]: a law's working memory

  // Makes room; zeroes what is new, so that a law writes only the columns that are not zero. Costs nothing when the
  // sizes are those of the last call.
  void resize(Eigen::Index points, int terms, int shapes, int order);
};

// How a parameter is told to people: E, A, B in the units of the points (N in parameters, D in tokens).
struct NamedValue {
  std::string name;
  double value = 0;
};

// The parameters θ where a named value is `value`: normal·θ = offset. Every named value of ours is such a plane (log A
// in the units of the points is θ_A + α·center), so that a profile is a descent on it.
struct Plane {
  Eigen::VectorXd normal;
  double offset = 0;
};

class Law {
 public:
  virtual ~Law() = default;
  virtual std::string name() const = 0;
  // "L = E + A / N^alpha"
  virtual std::string formula() const = 0;
  // "params" or "tokens" for a law of one axis, else "".
  virtual std::string axis() const { return ""; }
  // Whether a point or a target needs a value on this axis.
  virtual bool reads(Axis axis) const = 0;
  // Whether points of several variants, or of several datasets, are one law; otherwise they are fitted apart.
  virtual bool pools_variants() const { return false; }
  virtual bool pools_datasets() const { return false; }
  // Whether points are checkpoints of runs: those of one run are one observation, whatever their number.
  virtual bool within_runs() const { return false; }
  // Why the law says nothing of this target; empty when it does. By default: an axis that is read has no value.
  virtual std::string missing(const Target& target) const;

  virtual const std::vector<std::string>& terms()
      const = 0;                                         // K names of amplitudes; the first is E where there is one
  virtual const std::vector<Shape>& shapes() const = 0;  // S
  int dimension() const { return static_cast<int>(terms().size() + shapes().size()); }

  // Whether the basis of a term changes with a shape; the derivatives of those that do not are zero and are not read.
  virtual bool depends(int term, int shape) const = 0;

  // What the law reads of a point, as numbers, computed once. In what units is the law's own affair.
  virtual Eigen::ArrayXXd coordinates(const std::vector<Point>& points) const = 0;  // [n, C]

  // φ at the coordinates; derivatives up to `order` (0, 1, 2) are filled, the rest is left alone.
  // `basis` is reused between calls: no allocation after the first.
  virtual void evaluate(const Eigen::ArrayXXd& coordinates, const Eigen::VectorXd& shapes, int order,
                        Basis& basis) const = 0;

  // Amplitudes and shapes as told to people, e.g. {E, A, B, alpha, beta}. The law centres its axes for conditioning,
  // so A here is not exp(θ).
  virtual std::vector<NamedValue> named(const Eigen::VectorXd& amplitudes, const Eigen::VectorXd& shapes) const = 0;
  // The inverse: values in the order of named() to (amplitudes, shapes).
  virtual void from_named(const std::vector<double>& values, Eigen::VectorXd& amplitudes,
                          Eigen::VectorXd& shapes) const = 0;

  // Where value `index` of named() is `value`; nothing where that is no plane or cannot be.
  virtual std::optional<Plane> level(int index, double value) const = 0;

  // Shares of the loss, summing to 1 over the terms of a point, from which the starts of the amplitudes are made.
  virtual std::vector<std::vector<double>> share_starts() const = 0;

  // Why these points cannot carry this law, each a sentence; empty when they can. Pure design: losses are not looked
  // at.
  virtual std::vector<std::string> design_refusals(const std::vector<Point>& points) const = 0;

  // How far the target lies beyond the points, along the law's axes.
  virtual Beyond beyond_points(const std::vector<Point>& points, const Target& target) const = 0;
};

// What a law is made for besides its name.
struct LawChoice {
  std::string axis;       // of `power`: "params" or "tokens"; "": the one that varies
  std::string reference;  // of `precision`: the variant whose parameters count 1; "": llama where it is there
  std::string group;      // of `grouped`: "dataset" (E apart) or "variant" (A apart); "": the one that varies
};

// "power", "chinchilla", "repeated", "precision", "grouped", "curve". `points` fix the origin of the logarithmic axes
// and the labels. Throws Error{input} for an unknown name, with the nearest, and for a choice that the law has not.
std::unique_ptr<Law> make_law(const std::string& name, const std::vector<Point>& points, const LawChoice& choice = {});
std::vector<std::string> law_names();
// Those of one variant's finished runs, by name; the others need several variants or texts, or checkpoints.
std::vector<std::string> one_variant_law_names();

// One maker a law's file, for make_law.
std::unique_ptr<Law> make_power_law(const std::vector<Point>& points, const LawChoice& choice);
std::unique_ptr<Law> make_chinchilla_law(const std::vector<Point>& points, const LawChoice& choice);
std::unique_ptr<Law> make_repeated_law(const std::vector<Point>& points, const LawChoice& choice);
std::unique_ptr<Law> make_precision_law(const std::vector<Point>& points, const LawChoice& choice);
std::unique_ptr<Law> make_grouped_law(const std::vector<Point>& points, const LawChoice& choice);
std::unique_ptr<Law> make_curve_law(const std::vector<Point>& points, const LawChoice& choice);

}  // namespace bitsweep::fit
