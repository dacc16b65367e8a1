// A person's own SQL: limits, the result as values, and the documented views it may count on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitsweep::query {

struct SqlLimits {
  double timeout_s = 30;      // the statement is interrupted after it
  int64_t rows = 10'000'000;  // more than this is an error, not a silent cut
};

struct SqlResult {
  std::vector<std::string> columns;            // as the statement names them; doubles get "_2", "_3"
  std::vector<std::vector<json::value>> rows;  // null, integer, double or string; a blob is its hex digits
};

// One documented table or view.
struct ViewColumn {
  const char* name;
  const char* type;  // text | integer | real | json
  const char* help;
};
struct View {
  const char* name;
  const char* help;
  std::vector<ViewColumn> columns;
};

// The views that stay, as `query --list` and results/README.md describe them.
std::vector<View> documented_views();

// A list of objects, one per row.
json::array to_json(const SqlResult& result);

}  // namespace bitsweep::query
