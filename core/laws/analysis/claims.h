// What somebody says of the runs (a stated law, a prediction, a range, a comparison, a size), held against the runs
// themselves: each check is a named rule with a verdict and what was found, as values; a report words them. Pure;
// claims_file.h reads claims from a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "fit/law.h"
#include "fit/points.h"

namespace bitsweep::analysis {

struct Analysis;
struct ReportInput;

// A figure as it was written: "1.47" means 1.47 to half of its last digit.
struct StatedFigure {
  double value = 0, tolerance = 0;
};

struct Claim {
  std::string name;
  std::string of;                 // the quantity: claims of one quantity must not exclude each other
  std::vector<std::string> runs;  // ids that the law is stated for
  // A stated law: "power" or "chinchilla", with its parameters by name, and what N and D are counted in.
  std::string law, axis = "params";
  std::map<std::string, double> parameters;
  double params_unit = 1, tokens_unit = 1;
  std::optional<StatedFigure> residuals;  // every residual is said to be within this
  std::optional<fit::Target> target;      // where `value` or `range` is predicted
  std::optional<StatedFigure> value;
  std::optional<std::pair<double, double>> range;
  double noise = 0.02;  // of a residual, for what the runs allow
  // A comparison of two runs, second − first.
  std::vector<std::string> compare, differ_only, equal;
  std::optional<StatedFigure> change, wall_change;
  // A size of a model, and what its plugin counts (the caller asks it).
  std::optional<StatedFigure> params;
  json::object model;
  std::optional<int64_t> params_counted;
  std::string not_counted;  // why not
};

// What each rule found; losses in the unit of the runs.
struct NotChecked {
  std::string why;
};
struct ResidualsFound {
  std::vector<std::pair<std::string, double>> of_runs;  // measured − stated law
};
struct LawValueFound {
  double found = 0, stated = 0;
};
struct RangeFound {
  std::vector<fit::NamedValue> law;                  // the nearest of its kind, in the claim's units; empty: none
  std::optional<double> loss;                        // by it, at the target
  std::vector<std::string> refused;                  // why nothing is allowed; empty when something is
  std::optional<std::pair<double, double>> allowed;  // by the runs
  size_t runs = 0;
  bool at_95_percent = false;  // `allowed` is a 95 % interval; else: with residuals up to `noise`
  double noise = 0;
  std::optional<std::pair<double, double>> stated;
};
struct RangesFound {
  std::string of, other;  // the quantity, the other claim
  std::pair<double, double> here, there;
};
// A run that was not made, by which the factors could be told apart.
struct MissingRun {
  std::string variant;
  double params = 0, tokens = 0;
  std::vector<std::string> settings;
};
struct FactorsFound {
  std::vector<std::string> factors;
  std::optional<MissingRun> missing;
};
struct RatioFound {
  std::string of;    // "compute", "tokens" …
  double ratio = 1;  // second / first
};
struct SettingFound {
  std::string name, difference;  // "": equal
};
struct LossChangeFound {
  double change = 0;  // second − first
};
struct WallChangeFound {
  double change = 0;  // second / first − 1
};
struct SizeFound {
  int64_t counted = 0;
  double stated = 0;
};
using ClaimFinding = std::variant<NotChecked, ResidualsFound, LawValueFound, RangeFound, RangesFound, FactorsFound,
                                  RatioFound, SettingFound, LossChangeFound, WallChangeFound, SizeFound>;

struct ClaimVerdict {
  std::string claim, rule;
  std::optional<bool> holds;  // nothing: it cannot be checked
  ClaimFinding found;
  std::vector<std::pair<std::string, double>> figures;
};

// `check` adds its verdicts on one claim, none where the claim says nothing of the kind.
struct ClaimRule {
  const char* name;
  const char* when;  // it speaks
  void (*check)(const ReportInput& input, const Analysis& analysis, const Claim& claim, std::vector<ClaimVerdict>& out);
};
const std::vector<ClaimRule>& claim_rules();

// Parameters of the laws that can be stated, in the order of the fit; empty for another law.
std::vector<std::string> stated_parameters(const std::string& law);

// On input.claims, in their order and that of the rules. `analysis` as far as cells.
std::vector<ClaimVerdict> check_claims(const ReportInput& input, const Analysis& analysis);

}  // namespace bitsweep::analysis
