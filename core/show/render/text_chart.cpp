#include "render/text_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::render {
namespace {

// Dots of one character: 2 × 4 in braille, 1 × 1 in ASCII.
class Canvas {
 public:
  Canvas(const TextChartOptions& options)
      : unicode_(options.unicode),
        columns_(options.width),
        rows_(options.height),
        cells_(static_cast<size_t>(columns_ * rows_), 0) {}
  int dots_x() const { return columns_ * (unicode_ ? 2 : 1); }
  int dots_y() const { return rows_ * (unicode_ ? 4 : 1); }

  void set(int x, int y) {
    static constexpr uint8_t kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const int column = unicode_ ? x / 2 : x, row = unicode_ ? y / 4 : y;
    cells_[static_cast<size_t>(row * columns_ + column)] |= unicode_ ? kBits[y % 4][x % 2] : uint8_t{1};
  }

  std::string row(int r) const {
    std::string text;
    for (int c = 0; c < columns_; ++c) {
      const uint8_t bits = cells_[static_cast<size_t>(r * columns_ + c)];
      if (bits == 0 || !unicode_)
        text += bits == 0 ? ' ' : '*';
      else
        text += {'\xE2', static_cast<char>(0xA0 | bits >> 6), static_cast<char>(0x80 | (bits & 0x3F))};
    }
    return text.erase(text.find_last_not_of(' ') + 1);
  }

 private:
  bool unicode_;
  int columns_, rows_;
  std::vector<uint8_t> cells_;
};

}  // namespace

std::string text_chart(const std::vector<std::pair<double, double>>& all, const TextChartOptions& options) {
  std::vector<std::pair<double, double>> points;
  for (const auto& p : all)
    if (std::isfinite(p.first) && std::isfinite(p.second)) points.push_back(p);
  if (points.size() < 2 || !(points.back().first > points.front().first)) return "";
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(), [](auto& a, auto& b) { return a.second < b.second; });
  const double least = low->second, span = std::max(high->second - least, 1e-12);
  const double first = points.front().first, length = points.back().first - first;

  Canvas canvas(options);
  for (int x = 0; x < canvas.dots_x(); ++x) {
    const double at = first + length * x / (canvas.dots_x() - 1);
    const auto right =
        std::lower_bound(points.begin(), points.end(), at, [](auto& p, double value) { return p.first < value; });
    const auto b = right == points.end() ? right - 1 : right;
    const auto a = b == points.begin() ? b : b - 1;
    const double share = b->first > a->first ? std::clamp((at - a->first) / (b->first - a->first), 0.0, 1.0) : 1;
    const double value = a->second + share * (b->second - a->second);
    canvas.set(x, static_cast<int>(std::lround((1 - (value - least) / span) * (canvas.dots_y() - 1))));
  }

  std::string text;
  for (int r = 0; r < options.height; ++r) {
    const double value = least + span * (1 - static_cast<double>(r) / (options.height - 1));
    const bool labelled = r == 0 || r == options.height - 1 || r == options.height / 2;
    text += fmt::format("{:>8} {}{}\n", labelled ? fmt::format("{:.3f}", value) : "", options.unicode ? "│" : "|",
                        canvas.row(r));
  }
  const std::string from = format_count(first), to = format_count(points.back().first) + " " + options.x_label;
  const int gap = std::max(1, options.width - static_cast<int>(from.size() + to.size()));
  return text + fmt::format("{:>10}{}{:{}}{}\n", "", from, "", gap, to);
}

}  // namespace bitsweep::render
