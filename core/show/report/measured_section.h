// The table of what was measured: a row a configuration, and what its columns are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "render/document.h"

namespace bitsweep::report {

std::vector<render::Block> measured_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                            int level);

// A mean in its metric's unit, with the half-width of its interval where it has one: "48.2 % ± 1.3".
std::string metric_with_spread(const analysis::Estimate& e, const MetricKind* kind);

// How values of one metric in a table were asked, where they were not asked alike, or not at the end: behind a value
// " (n=56)".
class AskedWords {
 public:
  explicit AskedWords(std::vector<query::Asked> all);
  std::string of(const query::Asked& asked) const;
  // In what they differ; empty where all were asked alike.
  const std::vector<std::string>& differences() const { return differences_; }

 private:
  std::vector<std::string> differences_, shown_;
};
// By metric, from how its values were asked.
std::map<std::string, AskedWords> asked_words(std::map<std::string, std::vector<query::Asked>> asked);

}  // namespace bitsweep::report
