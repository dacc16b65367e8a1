// What a cell of a table says: a number however people group its digits, a whole number, or nothing. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bitsweep::fit {

// ASCII letters small; others as they are.
std::string lower_case(const std::string& text);

// "", NA, N/A, NaN, null, None, -, —, ?, TBD, #N/A … in any case: nothing was measured or told.
bool says_missing(const std::string& text);

// Counts are whole, so that "20,000" is twenty thousand whatever separates cells; of measures it may be 20.
enum class NumberKind { count, measure };

// The text as parse_size takes it: without separators of thousands (1,000,000; 1 000 000; 1'000'000; 1.000.000 where
// commas do not separate cells), with a decimal point. Text that is no number comes back as it is.
std::string plain_number(const std::string& text, char delimiter, NumberKind kind = NumberKind::measure);

// plain_number, with k, M, B; nothing where it is no number.
std::optional<double> cell_number(const std::string& text, char delimiter, NumberKind kind = NumberKind::measure);

// 1337, 1337.0, 1e3 and 1,337, digit for digit. Nothing where it is no whole number, or beyond 64 bits with a sign.
std::optional<int64_t> whole_number(const std::string& text, char delimiter);

}  // namespace bitsweep::fit
