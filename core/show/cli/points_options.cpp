#include "cli/points_options.h"

namespace bitsweep {

PointsFormat points_format(const CommandLine& line) {
  PointsFormat format(line.has("map") ? parse_column_map(*line.get("map")) : ColumnMap{});
  if (line.has("units")) format.units = parse_units(*line.get("units"));
  if (line.has("where")) format.where = RowFilter(*line.get("where"), "--where");
  for (const std::string& text : line.all("label")) format.labels.push_back(parse_variant_rule(text));
  return format;
}

}  // namespace bitsweep
