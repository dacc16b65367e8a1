// What a log's values mean: numbers, seeds, times. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace bitsweep::imports {

inline bool is_decimal(char c) { return c >= '0' && c <= '9'; }

// A number as JSON, CSV or a person writes it: 3e-4, "20K", "1,234,567", "1,5" where semicolons separate cells. NaN for
// what is said not to be one (null, "NaN", "-inf", "None", "n/a", ""); nothing for what is no number.
std::optional<double> log_number(const json::value& value, char delimiter = ',');

// A seed digit for digit, as an int64 or, beyond it, a uint64: 12873548723948723947, -1, 1337.0. Nothing for what
// cannot be told exactly: fractions, texts, and doubles beyond 2^53, which have lost digits.
std::optional<json::value> exact_seed(const json::value& value);

// Unix seconds, of a time after 1973: a number of seconds, or of milli-, micro- or nanoseconds by its magnitude
// (> 1e11, 1e14, 1e17), or ISO 8601 with 'T' or a space, a fraction and a zone (none is UTC). Seconds since the start
// where the number is less, or a duration "0:12:30". Nothing for what is neither.
struct LogTime {
  double value = 0;
  bool since_start = false;  // else unix seconds
};
std::optional<LogTime> log_time(const json::value& value);

}  // namespace bitsweep::imports
