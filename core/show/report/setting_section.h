// Learning rate and batch (analysis/setting_law.h): as a section, as JSON, and as the words of a recommendation. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "base/json.h"
#include "render/document.h"

namespace bitsweep::report {

// A setting to take at a place, and why that value.
struct SettingAdvice {
  std::optional<double> value;
  std::optional<fit::Interval> interval;            // 95 %
  std::optional<analysis::SettingPenalty> penalty;  // of the value of `like`, were that kept
  std::string why;
  std::string off;  // how far off a rate may be that was not tuned there; ""
};

// `like`: the cell whose settings a run at this place takes over. A batch without a law is that of `like`.
SettingAdvice lr_advice(const analysis::GroupAnalysis& g, const std::string& variant, double params, double tokens,
                        const analysis::ReportCell& like);
SettingAdvice batch_advice(const analysis::GroupAnalysis& g, const std::string& variant, double params, double tokens,
                           const analysis::ReportCell& like);

// What the places of each variant say; nothing where no place has two rates.
std::vector<render::Block> setting_section(const analysis::GroupAnalysis& g, int level);
json::array setting_json(const analysis::GroupAnalysis& g);

}  // namespace bitsweep::report
