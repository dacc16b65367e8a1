// Numbers as people write and read them: 5.5M parameters, 12h, 38.7 MB. Independent of the locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bitsweep {

// A whole string as a finite or non-finite double ("nan", "inf" included); underscores between digits are allowed.
std::optional<double> parse_number(std::string_view text);

// "300M", "1B", "2_000", "20k", "3e-4": powers of 1000. Nothing when it is no number.
std::optional<double> parse_size(std::string_view text);

// "30s", "15m", "12h", "2d", or plain seconds. Nothing when it is no duration, or is negative.
std::optional<double> parse_duration_s(std::string_view text);

std::string format_count(double value);     // 46.4M, 1.31B, 920
std::string format_bytes(double bytes);     // 38.7 MB (powers of 1000)
std::string format_duration(double seconds);  // 12 s, 3m 05s, 2h 10m, 3d 4h
// 46448640 -> "46,448,640"
std::string format_thousands(int64_t value);

}  // namespace bitsweep
