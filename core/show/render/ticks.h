// Where an axis puts its ticks and how it writes them. Pure.
#pragma once

#include <string>
#include <vector>

namespace bitsweep::render {

enum class Scale { linear, log };

struct Tick {
  double value = 0;
  std::string label;  // "" for a minor tick
};

// How numbers of an axis are written.
enum class TickFormat {
  plain,  // 2.5, 0.004
  count,  // 300k, 1.5M
  power,  // 10¹⁵ and 3×10¹⁵
};

// An axis's extent and ticks: ascending, within [low, high], at least two of them labelled.
struct AxisTicks {
  double low = 0;
  double high = 1;
  std::vector<Tick> ticks;
};

// Ticks at 1, 2 or 5 times a power of ten inside [low, high] as given; about `wanted` of them.
AxisTicks linear_ticks(double low, double high, int wanted, TickFormat format);
// Decades, with 2 and 5 (or every digit) labelled when the range is short. REQUIRES 0 < low < high.
AxisTicks log_ticks(double low, double high, int wanted, TickFormat format);

AxisTicks axis_ticks(Scale scale, double low, double high, int wanted, TickFormat format);

// The interval that holds the values with some air, never empty: equal values get air too.
struct Extent {
  double low = 0;
  double high = 1;
};
Extent padded_extent(Scale scale, double least, double most, double air);

}  // namespace bitsweep::render
