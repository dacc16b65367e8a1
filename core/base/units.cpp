#include "base/units.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace bitsweep {
namespace {

struct Scale {
  double factor;
  const char* suffix;
};

std::string scaled(double value, std::initializer_list<Scale> scales, const char* separator) {
  for (const Scale& s : scales) {
    // 999.6k would print as 1000k: move up as soon as three digits round to the next unit.
    if (std::abs(value) < s.factor * 0.9995) continue;
    const double x = value / s.factor;
    const int decimals = std::abs(x) < 9.995 ? 2 : std::abs(x) < 99.95 ? 1 : 0;
    std::string digits = fmt::format("{:.{}f}", x, decimals);
    if (digits.find('.') != std::string::npos) {
      while (digits.back() == '0') digits.pop_back();
      if (digits.back() == '.') digits.pop_back();
    }
    return digits + separator + s.suffix;
  }
  return fmt::format("{:.4g}{}{}", value, separator, *separator ? "B" : "");
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between = text[i] == '_' && i > 0 && i + 1 < text.size() &&
                         std::isdigit(static_cast<unsigned char>(text[i - 1])) &&
                         std::isdigit(static_cast<unsigned char>(text[i + 1]));
    if (!between) digits += text[i];
  }
  const char* begin = digits.data();
  const char* end = begin + digits.size();
  if (begin != end && *begin == '+') ++begin;
  if (begin != end && *begin == '.' && end - begin > 1 && !std::isdigit(static_cast<unsigned char>(begin[1])))
    ++begin;  // YAML's .nan, .inf
  double value = 0;
  const auto [rest, code] = std::from_chars(begin, end, value);
  if (code == std::errc::result_out_of_range && rest == end) return HUGE_VAL;
  if (code != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::optional<double> parse_size(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double factor = 1;
  switch (text.back()) {
    case 'k':
    case 'K':
      factor = 1e3;
      break;
    case 'M':
      factor = 1e6;
      break;
    case 'B':
    case 'G':
      factor = 1e9;
      break;
    case 'T':
      factor = 1e12;
      break;
    default:
      break;
  }
  if (factor != 1) text.remove_suffix(1);
  const auto number = parse_number(text);
  if (!number) return std::nullopt;
  const double value = *number * factor;
  // 5.5M is the integer 5,500,000, not 5499999.999…
  const bool whole = std::abs(value) >= 1 && std::abs(value) < 9e15 && std::abs(value - std::round(value)) < 1e-6;
  return whole ? std::round(value) : value;
}

std::optional<double> parse_duration_s(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double factor = 1;
  switch (text.back()) {
    case 's':
      factor = 1;
      text.remove_suffix(1);
      break;
    case 'm':
      factor = 60;
      text.remove_suffix(1);
      break;
    case 'h':
      factor = 3600;
      text.remove_suffix(1);
      break;
    case 'd':
      factor = 86400;
      text.remove_suffix(1);
      break;
    default:
      break;
  }
  const auto number = parse_number(text);
  if (!number || !(*number >= 0) || !std::isfinite(*number)) return std::nullopt;
  return *number * factor;
}

std::string format_count(double value) {
  if (std::abs(value) < 999.5) return fmt::format("{:.4g}", value);
  return scaled(value, {{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "k"}}, "");
}

std::string format_bytes(double bytes) {
  return scaled(bytes, {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}, " ");
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h {:02}m", whole / 3600, whole % 3600 / 60);
  return fmt::format("{}d {}h", whole / 86400, whole % 86400 / 3600);
}

std::string format_thousands(int64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t left = digits.size() - i;
    if (left % 3 == 0 && !text.empty() && text.back() != '-') text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace bitsweep
