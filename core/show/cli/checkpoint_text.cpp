#include "cli/checkpoint_text.h"

#include <fmt/format.h>

namespace bitsweep::cli {

std::string counts_text(const fit::FitResult& fit, const std::vector<fit::Point>& points) {
  const fit::CheckpointCount count = count_checkpoints(points);
  if (count.checkpoints == 0) return fmt::format("{} points, {} configurations", fit.points, fit.groups);
  const int64_t runs = fit.points == count.checkpoints ? fit.groups : count.runs;
  std::string text = fmt::format("{} run{}, {} checkpoints", runs, runs == 1 ? "" : "s", count.checkpoints);
  if (fit.groups < runs) text += fmt::format(", {} configurations", fit.groups);
  return text;
}

std::string groups_text(const fit::FitResult& fit) {
  return fmt::format("; {} configurations{}", fit.groups,
                     fit.resamples > 0 ? fmt::format(", {} resamples of them in --json", fit.resamples) : "");
}

void advise_checkpoints(const std::vector<fit::Point>& points, fit::FitResult& fit) {
  const fit::CheckpointCount count = count_checkpoints(points);
  if (count.checkpoints <= fit.points || fit.has_params() || fit.refused.empty()) return;
  fit.warnings.push_back(fmt::format(
      "the {} checkpoints lie within {} run{}: --law curve describes a run by its own (columns step and lr, or "
      "lr_area); --checkpoints all fits this law to all of them, with intervals from resamples of whole runs",
      count.checkpoints, count.runs, count.runs == 1 ? "" : "s"));
}

}  // namespace bitsweep::cli
