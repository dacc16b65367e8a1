// What somebody says of the runs (a stated law, a prediction, a range, a comparison, a size), held against the runs
// themselves: each check is a named rule with a verdict. Pure; cli/claims_file.h reads claims from a file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "fit/points.h"
#include "render/document.h"

namespace bitsweep {

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
  std::optional<Target> target;           // where `value` or `range` is predicted
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

struct ClaimVerdict {
  std::string claim, rule;
  std::optional<bool> holds;  // nothing: it cannot be checked
  std::string text;           // what the runs say
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

std::vector<Block> claims_section(const Analysis& analysis);
json::array claims_json(const Analysis& analysis);

}  // namespace bitsweep
