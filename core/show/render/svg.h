// Figures as SVG: panels of lines, points, bands and error bars, readable in light and in dark.
//
// The text of a figure is one self-contained <svg> element. Colours are CSS classes that follow prefers-color-scheme;
// the background stays transparent. The palette is safe for the common kinds of colour blindness (Okabe and Ito 2008),
// and every series also differs by its marker. Values show on hover through <title>.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "render/ticks.h"

namespace bitsweep::render {

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
  bool sideways = false;          // error bars lie along x: low and high are values of x
};
constexpr int kNeutral = -1;
constexpr int kPaletteSize = 8;
constexpr int kRampSize = 6;
// Colour of value i of n that have an order (sizes, budgets): from light to deep.
int ramp_colour(size_t i, size_t n);

struct PlotBand {
  int colour = 0;
  std::vector<PlotPoint> points;  // x, low, high
  std::string name = "";          // in the figure's JSON
};

// A level across the panel, named at its right end.
struct PlotLevel {
  std::string name;
  double y = 0;
  std::string title;
};

// Words in a panel, centred, with a rim of the page's colour that sets them off from lines.
struct PlotNote {
  double x = 0, y = 0;
  std::string text;
};

// A square of a heat map around a place of two axes with names.
struct PlotCell {
  double x = 0, y = 0;
  std::string text;   // written in it
  std::string title;  // shown on hover
  double value = 0;   // what it stands for
  double shade = 0;   // 0 to 1
  bool outlined = false;
};

struct PlotAxis {
  std::string label;
  Scale scale = Scale::linear;
  TickFormat format = TickFormat::plain;
  std::optional<double> least, most;    // the data's extent when empty
  std::vector<std::string> names = {};  // instead of numbers: value k is names[k], from the left or the bottom
};

struct PlotPanel {
  std::string title;
  PlotAxis x, y;
  std::vector<PlotBand> bands;
  std::vector<PlotLevel> levels;
  std::vector<PlotSeries> series;
  std::vector<PlotNote> notes = {};
  std::vector<PlotCell> cells = {};
  // A stretch of x where nothing was measured, tinted.
  std::optional<double> beyond_from = std::nullopt;
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

}  // namespace bitsweep::render
