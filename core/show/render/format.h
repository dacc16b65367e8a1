// Numbers of a report as text: always the same digits, "–" for what is not there, a true minus sign in prose and
// tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bitsweep::render {

inline constexpr const char* kNothing = "–";

std::string format_bpc(std::optional<double> value);                   // 2.345
std::string format_delta(std::optional<double> value);                 // −0.097, +0.004
std::string format_significant(double value, int digits);              // 0.218, 1.76, 3.2e15 as 3.2×10¹⁵
std::string format_rate(std::optional<double> tokens_per_s);           // 12.3k
std::string format_percent(double fraction);                           // 36 %
std::string format_change(double fraction);                            // −36.1 %, +4.0 %
std::string format_exact_count(double value);                          // 655.36M
std::string plural(int64_t count, const char* one, const char* many);  // "1 run", "3 runs"

}  // namespace bitsweep::render
