#include "cli/points_options.h"

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::cli {
namespace {

fit::CheckpointUse checkpoint_use(const std::string& text) {
  static const std::vector<std::string> kKnown = {"last", "all", "none"};
  if (text == "last") return fit::CheckpointUse::last;
  if (text == "all") return fit::CheckpointUse::all;
  if (text == "none") return fit::CheckpointUse::none;
  throw Error(ErrorKind::input, fmt::format("--checkpoints: expected last, all or none, not '{}'{}", excerpt(text),
                                            did_you_mean(text, kKnown)));
}

}  // namespace

fit::PointsFormat points_format(const CommandLine& line) {
  fit::PointsFormat format(line.has("map") ? fit::parse_column_map(*line.get("map")) : fit::ColumnMap{});
  if (line.has("units")) format.units = fit::parse_units(*line.get("units"));
  if (line.has("where")) format.where = fit::RowFilter(*line.get("where"), "--where");
  for (const std::string& text : line.all("label")) format.labels.push_back(fit::parse_variant_rule(text));
  if (line.has("checkpoints")) format.checkpoints = checkpoint_use(*line.get("checkpoints"));
  return format;
}

}  // namespace bitsweep::cli
