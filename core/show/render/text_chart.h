// A small curve for the terminal.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace bitsweep::render {

struct TextChartOptions {
  int width = 60;  // characters, without the axis
  int height = 10;
  bool unicode = true;  // braille dots; else '*'
  std::string x_label;  // beneath, at the right end
};

// Points in ascending x; values that are not finite are left out. "" when fewer than two are left.
std::string text_chart(const std::vector<std::pair<double, double>>& points, const TextChartOptions& options = {});

}  // namespace bitsweep::render
