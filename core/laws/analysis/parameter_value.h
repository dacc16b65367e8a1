// What a parameter of each variant is worth, beside one of the reference: the `precision` law over all variants of a
// group. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fit/fit.h"

namespace bitsweep::analysis {

struct GroupAnalysis;
struct ReportInput;

// What a parameter of a variant costs, at the largest size that was run; nothing where the runs do not say.
struct ParameterCost {
  std::optional<double> stored_bytes;  // as deployed
  std::optional<double> flops;         // of training, a token
};

struct ParameterValueRow {
  std::string variant;
  double eff = 1;                    // 1 for the reference
  std::optional<fit::Interval> interval;  // 95 %; nothing for the reference
  ParameterCost cost;
  // eff over what a parameter costs, as a multiple of the reference's.
  std::optional<double> per_byte, per_flop;
};

struct ParameterValue {
  std::string reference;  // the variant whose parameters count 1
  fit::FitResult result;
  std::vector<ParameterValueRow> rows;  // the reference first; empty unless the runs determine the law
};

// Nothing with less than two variants. llama is the reference where it is there, else the first variant.
std::optional<ParameterValue> parameter_value(const ReportInput& input, const GroupAnalysis& g);

}  // namespace bitsweep::analysis
