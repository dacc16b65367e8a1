#include "render/format.h"

#include <cmath>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::render {
namespace {

std::string with_minus(std::string digits) {
  if (!digits.empty() && digits[0] == '-') digits.replace(0, 1, "−");
  return digits;
}

// "-0.000" is a zero.
std::string fixed(double value, int decimals) {
  std::string digits = fmt::format("{:.{}f}", value, decimals);
  if (digits[0] == '-' && digits.find_first_of("123456789") == std::string::npos) digits.erase(0, 1);
  return digits;
}

bool there(std::optional<double> value) { return value && std::isfinite(*value); }

}  // namespace

std::string format_bpc(std::optional<double> value) { return there(value) ? with_minus(fixed(*value, 3)) : kNothing; }

std::string format_delta(std::optional<double> value) {
  if (!there(value)) return kNothing;
  const std::string digits = with_minus(fixed(*value, 3));
  return *value > 0 && digits != "0.000" ? "+" + digits : digits;
}

std::string format_significant(double value, int digits) {
  if (!std::isfinite(value)) return kNothing;
  if (value == 0) return "0";
  const std::string scientific = fmt::format("{:.{}e}", value, digits - 1);
  const size_t e = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(e + 1));
  if (exponent >= -4 && exponent < 6) return with_minus(fixed(value, std::max(0, digits - 1 - exponent)));
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string power = exponent < 0 ? "⁻" : "";
  for (const char c : std::to_string(std::abs(exponent))) power += kDigits[c - '0'];
  return with_minus(scientific.substr(0, e)) + "×10" + power;
}

std::string format_rate(std::optional<double> tokens_per_s) {
  return there(tokens_per_s) ? format_count(*tokens_per_s) : kNothing;
}

std::string format_percent(double fraction) {
  return std::isfinite(fraction)
             ? fmt::format("{} %", with_minus(fixed(100 * fraction, std::abs(fraction) < 0.0995 ? 1 : 0)))
             : kNothing;
}

std::string format_change(double fraction) { return with_minus(fmt::format("{:+.1f} %", 100 * fraction)); }

std::string format_exact_count(double value) {
  for (const auto& [scale, unit] : {std::pair{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "k"}})
    if (value >= scale) return fmt::format("{:.5g}{}", value / scale, unit);
  return fmt::format("{:.5g}", value);
}

std::string plural(int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace bitsweep::render
