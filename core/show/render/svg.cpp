#include "render/svg.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "render/escape.h"
#include "render/svg_draw.h"
#include "render/table.h"

namespace bitsweep::render {
namespace {

constexpr double kWidth = 880, kPanelHeight = 290, kTop = 34, kPanelTitle = 22, kBelow = 46, kGap = 18,
                 kLegendLine = 20;
constexpr double kFont = 11;
constexpr size_t kColumns = 3;

struct Box {
  double left = 0, top = 0, width = 0, height = 0;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

bool drawable(const PlotAxis& axis, double value) {
  return std::isfinite(value) && (axis.scale == Scale::linear || value > 0);
}

// Everything a panel shows, along one axis.
template <typename Visit>
void for_each_value(const PlotPanel& panel, bool vertical, Visit visit) {
  for (const PlotSeries& series : panel.series) {
    for (const PlotPoint& p : series.points) {
      visit(vertical ? p.y : p.x);
      if (vertical != series.sideways && p.low) visit(*p.low);
      if (vertical != series.sideways && p.high) visit(*p.high);
    }
  }
  for (const PlotBand& band : panel.bands) {
    for (const PlotPoint& p : band.points) {
      if (!vertical) visit(p.x);
      if (vertical && p.low) visit(*p.low);
      if (vertical && p.high) visit(*p.high);
    }
  }
}

AxisTicks named_ticks(const std::vector<std::string>& names) {
  AxisTicks axis{-0.5, static_cast<double>(names.size()) - 0.5, {}};
  for (size_t k = 0; k < names.size(); ++k) axis.ticks.push_back({static_cast<double>(k), names[k]});
  return axis;
}

AxisTicks axis_of(const std::vector<const PlotPanel*>& panels, bool vertical, double length_px) {
  const PlotAxis& axis = vertical ? panels[0]->y : panels[0]->x;
  if (!axis.names.empty()) return named_ticks(axis.names);
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (const PlotPanel* panel : panels) {
    for_each_value(*panel, vertical, [&](double value) {
      if (drawable(axis, value)) {
        least = std::min(least, value);
        most = std::max(most, value);
      }
    });
  }
  const bool none = !(least <= most);
  if (none) {
    least = axis.scale == Scale::log ? 1 : 0;
    most = axis.scale == Scale::log ? 10 : 1;
  }
  Extent extent = padded_extent(axis.scale, axis.least.value_or(least), axis.most.value_or(most), 0.05);
  if (axis.least && (axis.scale == Scale::linear || *axis.least > 0)) extent.low = *axis.least;
  if (axis.most && *axis.most > extent.low) extent.high = *axis.most;
  const int wanted = std::max(3, static_cast<int>(length_px / (vertical ? 42 : 62)));
  return axis_ticks(axis.scale, extent.low, extent.high, wanted, axis.format);
}

class PanelPainter {
 public:
  PanelPainter(const PlotPanel& panel, const Box& box, const AxisTicks& x, const AxisTicks& y, std::string clip_id)
      : panel_(panel), box_(box), x_(x), y_(y), clip_id_(std::move(clip_id)) {}

  std::string paint(bool y_labels, bool level_labels) {
    if (!panel_.title.empty())
      out_ += svg_text(box_.left + box_.width / 2, box_.top - 8, panel_.title, {"bs-t", 12, Anchor::middle, true});
    paint_axes(y_labels);
    out_ += fmt::format("<clipPath id=\"{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n",
                        escape_html(clip_id_), svg_number(box_.left), svg_number(box_.top), svg_number(box_.width),
                        svg_number(box_.height));
    out_ += fmt::format("<g clip-path=\"url(#{})\">\n", escape_html(clip_id_));
    paint_beyond();
    for (const PlotCell& cell : panel_.cells) paint_cell(cell);
    for (const PlotBand& band : panel_.bands) paint_band(band);
    for (const PlotLevel& level : panel_.levels) paint_level(level);
    for (const PlotSeries& series : panel_.series) paint_line(series);
    out_ += "</g>\n";
    for (const PlotSeries& series : panel_.series) paint_points(series);
    for (const PlotNote& note : panel_.notes)
      out_ += svg_text(px(note.x), py(note.y) + 3.8, note.text, {"bs-t bs-h", kFont, Anchor::middle, false});
    if (level_labels) paint_level_labels();
    return std::move(out_);
  }

 private:
  // Clamped far outside of the panel: a viewer need not cope with 1e300.
  double px(double x) const { return std::clamp(box_.left + box_.width * share(panel_.x, x_, x), -5000.0, 9000.0); }
  double py(double y) const {
    return std::clamp(box_.bottom() - box_.height * share(panel_.y, y_, y), -5000.0, 9000.0);
  }

  static double share(const PlotAxis& axis, const AxisTicks& ticks, double value) {
    if (axis.scale == Scale::linear) return (value - ticks.low) / (ticks.high - ticks.low);
    return std::log(value / ticks.low) / std::log(ticks.high / ticks.low);
  }

  bool shown(const PlotPoint& p) const { return drawable(panel_.x, p.x) && drawable(panel_.y, p.y); }
  bool inside(const PlotPoint& p) const {
    return shown(p) && p.x >= x_.low && p.x <= x_.high && p.y >= y_.low && p.y <= y_.high;
  }

  void paint_axes(bool y_labels) {
    for (const Tick& tick : y_.ticks) {
      if (tick.label.empty()) continue;
      const double y = py(tick.value);
      out_ += svg_line(box_.left, y, box_.right(), y, "class=\"bs-g\" stroke-width=\"1\"");
      if (y_labels) out_ += svg_text(box_.left - 7, y + 3.8, tick.label, {"bs-m", kFont, Anchor::end, false});
    }
    out_ += svg_line(box_.left, box_.bottom(), box_.right(), box_.bottom(), "class=\"bs-a\" stroke-width=\"1\"");
    double free_from = -HUGE_VAL;
    for (const Tick& tick : x_.ticks) {
      const double x = px(tick.value), half = text_width_px(tick.label, kFont) / 2;
      // A label at the end of the axis stays out of the neighbour's.
      const double middle = std::clamp(x, box_.left + half - kGap / 3, box_.right() - half + kGap / 3);
      const bool labelled = !tick.label.empty() && middle - half > free_from + 5;
      out_ += svg_line(x, box_.bottom(), x, box_.bottom() + (labelled ? 5 : 3), "class=\"bs-a\" stroke-width=\"1\"");
      if (!labelled) continue;
      out_ += svg_text(middle, box_.bottom() + 17, tick.label, {"bs-m", kFont, Anchor::middle, false});
      free_from = middle + half;
    }
    out_ += svg_text(box_.left + box_.width / 2, box_.bottom() + 34, panel_.x.label,
                     {"bs-t", kFont, Anchor::middle, false});
  }

  void paint_beyond() {
    if (!panel_.beyond_from || *panel_.beyond_from >= x_.high) return;
    const double x = std::max(px(*panel_.beyond_from), box_.left);
    out_ += fmt::format("<rect class=\"bs-n bs-e\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", svg_number(x),
                        svg_number(box_.top), svg_number(box_.right() - x), svg_number(box_.height));
    out_ += svg_line(x, box_.top, x, box_.bottom(), "class=\"bs-n\" stroke-width=\"1\" stroke-dasharray=\"2 3\"");
  }

  void paint_cell(const PlotCell& cell) {
    const double left = px(cell.x - 0.5) + 1, top = py(cell.y + 0.5) + 1;
    const double width = px(cell.x + 0.5) - left - 1, height = py(cell.y - 0.5) - top - 1;
    const std::string rectangle = fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", svg_number(left),
                                              svg_number(top), svg_number(width), svg_number(height));
    out_ += fmt::format("<g><rect class=\"{}\" style=\"stroke:none;fill-opacity:{}\" {}/>\n",
                        colour_class(kPaletteSize + kRampSize - 1), svg_number(0.06 + 0.54 * cell.shade), rectangle);
    if (cell.outlined)
      out_ += fmt::format("<rect class=\"{} bs-o\" stroke-width=\"2\" {}/>\n", colour_class(1), rectangle);
    if (text_width_px(cell.text, kFont) < width - 2 && height > kFont)
      out_ += svg_text(px(cell.x), py(cell.y) + 3.8, cell.text, {"bs-t", kFont, Anchor::middle, false});
    out_ += fmt::format("<title>{}</title></g>\n", escape_html(cell.title));
  }

  void paint_level(const PlotLevel& level) {
    if (!drawable(panel_.y, level.y)) return;
    const double y = py(level.y);
    out_ +=
        "<g>" + svg_line(box_.left, y, box_.right(), y, "class=\"bs-n\" stroke-width=\"1.2\" stroke-dasharray=\"5 4\"");
    out_ += fmt::format("<title>{}</title></g>\n", escape_html(level.title.empty() ? level.name : level.title));
  }

  // From the bottom up; a label too near to the one below it moves up.
  void paint_level_labels() {
    std::vector<const PlotLevel*> levels;
    for (const PlotLevel& level : panel_.levels)
      if (!level.name.empty() && drawable(panel_.y, level.y) && level.y >= y_.low && level.y <= y_.high)
        levels.push_back(&level);
    std::stable_sort(levels.begin(), levels.end(), [](auto* a, auto* b) { return a->y < b->y; });
    double last = HUGE_VAL;
    for (const PlotLevel* level : levels) {
      const double y = std::min(py(level->y) + 3.8, last - kFont - 1);
      out_ += svg_text(box_.right() + 5, y, level->name, {"bs-m", kFont, Anchor::start, false});
      last = y;
    }
  }

  void paint_band(const PlotBand& band) {
    std::string upper, lower;
    for (const PlotPoint& p : band.points) {
      if (!p.low || !p.high || !drawable(panel_.x, p.x) || !drawable(panel_.y, *p.low) || !drawable(panel_.y, *p.high))
        continue;
      upper += fmt::format("{}{} {}", upper.empty() ? "M" : "L", svg_number(px(p.x)), svg_number(py(*p.high)));
      lower = fmt::format("L{} {}", svg_number(px(p.x)), svg_number(py(*p.low))) + lower;
    }
    if (!upper.empty())
      out_ += fmt::format("<path class=\"{} bs-b\" d=\"{}{}z\"/>\n", colour_class(band.colour), upper, lower);
  }

  void paint_line(const PlotSeries& series) {
    if (!series.line) return;
    std::string path;
    bool open = false;
    for (const PlotPoint& p : series.points) {
      if (!shown(p)) {
        open = false;
        continue;
      }
      path += fmt::format("{}{} {}", open ? "L" : "M", svg_number(px(p.x)), svg_number(py(p.y)));
      open = true;
    }
    if (path.empty()) return;
    const char* dash = series.dash == Dash::dashed   ? " stroke-dasharray=\"6 4\""
                       : series.dash == Dash::dotted ? " stroke-dasharray=\"1.5 4\" stroke-linecap=\"round\""
                                                     : "";
    out_ += fmt::format("<path class=\"{} bs-l\" stroke-width=\"{}\"{} d=\"{}\"/>\n", colour_class(series.colour),
                        series.small ? "1.5" : "1.9", dash, path);
  }

  void paint_points(const PlotSeries& series) {
    const double radius = series.small ? 2.1 : 4;
    for (const PlotPoint& p : series.points) {
      if (!inside(p)) continue;
      if (p.low && p.high && series.sideways) paint_sideways_bar(series.colour, p);
      if (p.low && p.high && !series.sideways) paint_error_bar(series.colour, p);
      if (series.marker != Marker::none || !p.title.empty())
        out_ += svg_marker(series.marker, series.colour, px(p.x), py(p.y), radius, p.title);
    }
  }

  void paint_error_bar(int colour, const PlotPoint& p) {
    const double x = px(p.x);
    const double high = std::max(py(*p.high), box_.top), low = std::min(py(*p.low), box_.bottom());
    const std::string attributes = fmt::format("class=\"{}\" stroke-width=\"1.3\"", colour_class(colour));
    out_ += svg_line(x, high, x, low, attributes);
    if (py(*p.high) >= box_.top) out_ += svg_line(x - 4, high, x + 4, high, attributes);
    if (py(*p.low) <= box_.bottom()) out_ += svg_line(x - 4, low, x + 4, low, attributes);
  }

  void paint_sideways_bar(int colour, const PlotPoint& p) {
    const double y = py(p.y), low = std::max(px(*p.low), box_.left), high = std::min(px(*p.high), box_.right());
    const std::string attributes = fmt::format("class=\"{}\" stroke-width=\"1.3\"", colour_class(colour));
    out_ += svg_line(low, y, high, y, attributes);
    if (px(*p.low) >= box_.left) out_ += svg_line(low, y - 3, low, y + 3, attributes);
    if (px(*p.high) <= box_.right()) out_ += svg_line(high, y - 3, high, y + 3, attributes);
  }

  const PlotPanel& panel_;
  Box box_;
  const AxisTicks& x_;
  const AxisTicks& y_;
  std::string clip_id_;
  std::string out_;
};

struct Legend {
  struct Entry {
    const PlotSeries* series;
    double x, y;  // y from the legend's top
  };
  std::vector<Entry> entries;
  double height = 0;
};

Legend lay_out_legend(const Figure& figure) {
  Legend legend;
  std::vector<std::string> seen;
  double x = 12, y = 14;
  for (const PlotPanel& panel : figure.panels) {
    for (const PlotSeries& series : panel.series) {
      if (series.name.empty() || std::find(seen.begin(), seen.end(), series.name) != seen.end()) continue;
      seen.push_back(series.name);
      const double width = 34 + text_width_px(series.name, kFont) + 18;
      if (x > 12 && x + width > kWidth) {
        x = 12;
        y += kLegendLine;
      }
      legend.entries.push_back({&series, x, y});
      x += width;
    }
  }
  if (legend.entries.size() < 2) return {};  // one series is named by the title
  legend.height = y + 8;
  return legend;
}

std::string paint_legend(const Legend& legend, double top) {
  std::string out;
  for (const Legend::Entry& entry : legend.entries) {
    const PlotSeries& series = *entry.series;
    const double y = top + entry.y;
    if (series.line) {
      const char* dash = series.dash == Dash::dashed   ? "stroke-dasharray=\"6 4\" "
                         : series.dash == Dash::dotted ? "stroke-dasharray=\"1.5 4\" stroke-linecap=\"round\" "
                                                       : "";
      out += svg_line(entry.x, y - 4, entry.x + 26, y - 4,
                      fmt::format("class=\"{}\" stroke-width=\"1.9\" {}", colour_class(series.colour), dash));
    }
    if (series.marker != Marker::none) out += svg_marker(series.marker, series.colour, entry.x + 13, y - 4, 3.6, "");
    out += svg_text(entry.x + 33, y, series.name, {"bs-t", kFont, Anchor::start, false});
  }
  return out;
}

double widest_label(const std::vector<Tick>& ticks) {
  double width = 0;
  for (const Tick& tick : ticks) width = std::max(width, text_width_px(tick.label, kFont));
  return width;
}

bool same_levels(const PlotPanel& a, const PlotPanel& b) {
  return std::equal(a.levels.begin(), a.levels.end(), b.levels.begin(), b.levels.end(),
                    [](const PlotLevel& p, const PlotLevel& q) { return p.name == q.name && p.y == q.y; });
}

}  // namespace

double text_width_px(const std::string& text, double font_px) {
  double units = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c & 0xC0) == 0x80) continue;  // the rest of a UTF-8 sequence
    if (std::string_view("iljtfI.,:;|'!()[] ").find(c) != std::string_view::npos)
      units += 0.33;
    else if (std::string_view("mwMW@%").find(c) != std::string_view::npos)
      units += 0.9;
    else if ((c >= 'A' && c <= 'Z') || c < 0)
      units += 0.68;
    else
      units += 0.58;
  }
  return units * font_px;
}

std::string render_svg(const Figure& figure) {
  const std::vector<PlotPanel>& panels = figure.panels;
  const size_t columns = std::clamp<size_t>(panels.size(), 1, kColumns), rows = (panels.size() + columns - 1) / columns;
  std::vector<const PlotPanel*> all;
  for (const PlotPanel& panel : panels) all.push_back(&panel);

  std::vector<AxisTicks> y_axes;
  for (const PlotPanel* panel : all)
    y_axes.push_back(axis_of(figure.share_y ? all : std::vector<const PlotPanel*>{panel}, true, kPanelHeight));
  double tick_width = 0, right = 10;
  for (const AxisTicks& axis : y_axes) tick_width = std::max(tick_width, widest_label(axis.ticks));
  for (const PlotPanel& panel : panels)
    for (const PlotLevel& level : panel.levels) right = std::max(right, text_width_px(level.name, kFont) + 12);
  const double left = 24 + tick_width + 7;

  // The row's width goes to the panels; without shared labels each panel brings its own margin.
  const double between = figure.share_y ? kGap : kGap + left - 14;
  const double width =
      (kWidth - left - right - between * static_cast<double>(columns - 1)) / static_cast<double>(columns);
  const bool titled = std::any_of(panels.begin(), panels.end(), [](const PlotPanel& p) { return !p.title.empty(); });
  const double title_height = titled ? kPanelTitle : 0;
  const double row_height = title_height + kPanelHeight + kBelow;
  const Legend legend = lay_out_legend(figure);
  const double legend_top = kTop + row_height * static_cast<double>(rows);
  const double height = legend_top + legend.height + 6;

  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"bs\" role=\"img\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" "
      "style=\"max-width:100%;height:auto\">\n<title>{2}</title>\n<desc>{3}</desc>\n",
      svg_number(kWidth), svg_number(height), escape_html(figure.title), escape_html(figure.caption));
  out += svg_style() + svg_text(12, 18, figure.title, {"bs-t", 14, Anchor::start, true});
  for (size_t i = 0; i < panels.size(); ++i) {
    const size_t column = i % columns, row = i / columns;
    const Box box{left + (width + between) * static_cast<double>(column),
                  kTop + title_height + row_height * static_cast<double>(row), width, kPanelHeight};
    const AxisTicks x = axis_of({&panels[i]}, false, width);
    const bool y_labels = column == 0 || !figure.share_y;
    const bool next_has_them = column + 1 < columns && i + 1 < panels.size() && same_levels(panels[i], panels[i + 1]);
    if (y_labels)
      out += svg_rotated_text(box.left - tick_width - 18, box.top + box.height / 2, panels[i].y.label,
                              {"bs-t", kFont, Anchor::middle, false});
    out += PanelPainter(panels[i], box, x, y_axes[i], fmt::format("{}-{}", figure.file, i))
               .paint(y_labels, !next_has_them);
  }
  return out + paint_legend(legend, legend_top) + "</svg>\n";
}

}  // namespace bitsweep::render
