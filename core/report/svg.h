// Figures as SVG: panels of lines, points, bands and error bars, readable in light and in dark.
//
// The text of a figure is one self-contained <svg> element. Colours are CSS classes that follow prefers-color-scheme;
// the background stays transparent. The palette is safe for the common kinds of colour blindness (Okabe and Ito 2008),
// and every series also differs by its marker. Values show on hover through <title>.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/ticks.h"

namespace bitsweep {

struct PlotPoint {
  double x = 0;
  double y = 0;
  std::optional<double> low, high;  // error bar
  std::string title;                // shown on hover
};

enum class Marker { none, circle, square, triangle, diamond, ring, cross };
enum class Dash { solid, dashed, dotted };

struct PlotSeries {
  std::string name;  // in the legend, once per figure; "" for none
  int colour = 0;    // index into the palette, ramp_colour(), or kNeutral for the text's grey
  Marker marker = Marker::none;
  Dash dash = Dash::solid;
  bool line = true;
  bool small = false;             // small markers, thin line: many runs in one panel
  std::vector<PlotPoint> points;  // in the order the line takes; those outside the axes are clipped
};
constexpr int kNeutral = -1;
constexpr int kPaletteSize = 8;
constexpr int kRampSize = 6;
// Colour of value i of n that have an order (sizes, budgets): from light to deep.
int ramp_colour(size_t i, size_t n);

struct PlotBand {
  int colour = 0;
  std::vector<PlotPoint> points;  // x, low, high
};

// A level across the panel, named at its right end.
struct PlotLevel {
  std::string name;
  double y = 0;
  std::string title;
};

struct PlotAxis {
  std::string label;
  Scale scale = Scale::linear;
  TickFormat format = TickFormat::plain;
  std::optional<double> least, most;  // the data's extent when empty
};

struct PlotPanel {
  std::string title;
  PlotAxis x, y;
  std::vector<PlotBand> bands;
  std::vector<PlotLevel> levels;
  std::vector<PlotSeries> series;
};

struct Figure {
  std::string file;               // "curves.svg"
  std::string title;              // above the panels, and the SVG's <title>
  std::string caption;            // what it shows, for those who cannot see it
  std::vector<PlotPanel> panels;  // three in a row
  bool share_y = true;            // all panels take the same y extent
};

std::string render_svg(const Figure& figure);

// Width of a text in a sans-serif of this size; within some per cent.
double text_width_px(const std::string& text, double font_px);

}  // namespace bitsweep
