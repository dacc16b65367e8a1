#include "render/ticks.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::render {
namespace {

std::string superscript(int exponent) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "⁻" : "";
  for (const char c : std::to_string(std::abs(exponent))) text += kDigits[c - '0'];
  return text;
}

std::string trimmed(std::string digits) {
  if (digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return digits == "-0" ? "0" : digits;
}

std::string with_minus(std::string digits) {
  if (!digits.empty() && digits[0] == '-') digits.replace(0, 1, "−");
  return digits;
}

std::string tick_label(double value, double step, TickFormat format) {
  if (value == 0) return "0";
  // Three digits say no more when the axis covers a small part of its values.
  if (format == TickFormat::count && step > 0.01 * std::abs(value)) return format_count(value);
  const double size = std::abs(value);
  const int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-9));
  if (format == TickFormat::power || size >= 1e7 || size < 1e-5) {
    const int digits = std::clamp(exponent - static_cast<int>(std::floor(std::log10(step) + 1e-9)), 0, 15);
    const std::string mantissa = trimmed(fmt::format("{:.{}f}", value / std::pow(10.0, exponent), digits));
    const std::string power = "10" + superscript(exponent);
    return with_minus(mantissa == "1" ? power : mantissa + "×" + power);
  }
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return with_minus(fmt::format("{:.{}f}", value, std::min(decimals, 9)));
}

double nice_step(double span, int wanted) {
  const double rough = span / std::max(1, wanted);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double ratio = rough / power;
  return power * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
}

int labelled(const AxisTicks& axis) {
  return static_cast<int>(
      std::count_if(axis.ticks.begin(), axis.ticks.end(), [](const Tick& t) { return !t.label.empty(); }));
}

// Every digit of every decade; labelled those of `digits` when their decade is a multiple of `stride`.
AxisTicks decade_ticks(double low, double high, const std::vector<int>& digits, int stride, TickFormat format) {
  AxisTicks axis{low, high, {}};
  const int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
  for (int exponent = first; exponent <= last; ++exponent) {
    for (int digit = 1; digit <= 9; ++digit) {
      const double value = digit * std::pow(10.0, exponent);
      if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
      const bool shown = exponent % stride == 0 && std::find(digits.begin(), digits.end(), digit) != digits.end();
      if (shown)
        axis.ticks.push_back({value, tick_label(value, value, format)});
      else if (stride == 1 || digit == 1)
        axis.ticks.push_back({value, ""});
    }
  }
  return axis;
}

}  // namespace

AxisTicks linear_ticks(double low, double high, int wanted, TickFormat format) {
  // Below this doubles cannot tell the ticks apart.
  const double least = 1e-9 * std::max({std::abs(low), std::abs(high), 1e-300});
  if (!(high - low > least)) low -= least, high += least;
  for (;; wanted *= 2) {
    AxisTicks axis{low, high, {}};
    const double step = nice_step(high - low, wanted);
    for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
      axis.ticks.push_back({k * step, tick_label(k * step, step, format)});
    if (axis.ticks.size() >= 2) return axis;
  }
}

AxisTicks log_ticks(double low, double high, int wanted, TickFormat format) {
  static const std::vector<std::vector<int>> kChoices = {{1}, {1, 3}, {1, 2, 5}, {1, 2, 3, 5}, {1, 2, 3, 4, 5, 6, 8}};
  AxisTicks axis = decade_ticks(low, high, {1}, 1, format);
  for (int stride = 2; labelled(axis) > wanted + 1 && stride < 400; ++stride)
    axis = decade_ticks(low, high, {1}, stride, format);
  for (const std::vector<int>& digits : kChoices) {
    AxisTicks finer = decade_ticks(low, high, digits, 1, format);
    if (labelled(finer) <= wanted + 1 && labelled(finer) > labelled(axis)) axis = std::move(finer);
  }
  // Less than a factor of two or so: powers of ten help nobody.
  if (labelled(axis) < 2) return linear_ticks(low, high, wanted, format);
  return axis;
}

AxisTicks axis_ticks(Scale scale, double low, double high, int wanted, TickFormat format) {
  return scale == Scale::log ? log_ticks(low, high, wanted, format) : linear_ticks(low, high, wanted, format);
}

Extent padded_extent(Scale scale, double least, double most, double air) {
  if (scale == Scale::log) {
    const double span = std::max(std::log(most / least), std::log(1.5));
    const double middle = std::sqrt(least) * std::sqrt(most);
    const double half = std::exp(span * (0.5 + air));
    return {middle / half, middle * half};
  }
  const double floor = std::max(1e-9, std::abs(most) * 0.01);
  const double span = std::max(most - least, floor), middle = least + (most - least) / 2;
  return {middle - span * (0.5 + air), middle + span * (0.5 + air)};
}

}  // namespace bitsweep::render
