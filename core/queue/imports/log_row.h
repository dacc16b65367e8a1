// One line of a log, one object in it or one row of a table: what it says by which names, before anybody knows what is
// meant.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace bitsweep::imports {

struct LogField {
  std::string name;
  json::value value;  // null for what is there and no number: NaN, None
  int column = 0;     // from 1; 0: unknown
};

struct LogRow {
  int line = 0;  // from 1; 0: unknown
  std::vector<LogField> fields;
};

}  // namespace bitsweep::imports
