// Single shapes of a figure as SVG text. Coordinates are pixels; everything is escaped and printed without locale.
#pragma once

#include <string>
#include <string_view>

#include "render/svg.h"

namespace bitsweep::render {

// At most two decimals, none that are zero; never "nan": REQUIRES a finite value.
std::string svg_number(double value);

enum class Anchor { start, middle, end };
struct TextStyle {
  const char* cls = "bs-m";
  double size_px = 11;
  Anchor anchor = Anchor::start;
  bool bold = false;
};
std::string svg_text(double x, double y, std::string_view text, const TextStyle& style);
std::string svg_rotated_text(double x, double y, std::string_view text, const TextStyle& style);
std::string svg_line(double x1, double y1, double x2, double y2, std::string_view attributes);
// One marker with its hover title ("" for none).
std::string svg_marker(Marker marker, int colour, double x, double y, double radius, std::string_view title);

// "bs-c3": the class of a colour, stroke and fill alike ("bs-l" + "bs-c3" draws a line).
std::string colour_class(int colour);
// The <style> element: light, and dark by prefers-color-scheme.
std::string svg_style();

}  // namespace bitsweep::render
