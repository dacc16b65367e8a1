#include "report/interval_words.h"

#include <algorithm>

#include "render/format.h"

namespace bitsweep::report {

std::string spread_text(const analysis::Estimate& change) {
  if (!change.half_width) return "";
  return " ± " + render::format_bpc(*change.half_width) + (change.windows_alone ? " (windows)" : "");
}

std::string interval_of(const analysis::Estimate& change) {
  if (!change.half_width) return "";
  if (!change.window_se) return "seeds";
  return change.windows_alone ? "windows" : "seeds and windows";
}

std::string interval_sentence(const std::vector<analysis::Estimate>& changes) {
  const auto any = [&](const char* of) {
    return std::any_of(changes.begin(), changes.end(),
                       [&](const analysis::Estimate& change) { return interval_of(change) == of; });
  };
  const bool seeds = any("seeds"), both = any("seeds and windows"), alone = any("windows");
  std::string text;
  if (both)
    text =
        " ± is the 95 % interval over seeds, taken seed by seed where both have the same, and over validation "
        "windows, taken window by window.";
  else if (seeds)
    text = " ± is the 95 % interval, taken seed by seed where both have the same seeds.";
  if (both && seeds) text += " Where the windows are not known it is of seeds alone.";
  if (alone)
    text +=
        " ± (windows): a side has one seed, and the 95 % interval is over the validation windows alone; how much "
        "another seed would change is not in it.";
  return text;
}

}  // namespace bitsweep::report
