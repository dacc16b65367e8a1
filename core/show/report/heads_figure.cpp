// The heat maps of heads.h as SVG.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/escape.h"
#include "render/svg_draw.h"
#include "report/heads.h"

namespace bitsweep::report {
namespace {

constexpr double kWidth = 880, kLeft = 34, kGap = 34, kTop = 34, kTitle = 22, kMapTitle = 17, kBelow = 30;
constexpr double kFont = 11, kMostCell = 24, kLeastCell = 6;
constexpr size_t kMostVariants = 12;

struct MapKind {
  const char* name;   // of PointerHealth::maps
  const char* title;  // above it
  bool specialists;   // those are outlined
};
constexpr std::array<MapKind, 3> kKinds = {{{"ipmr", "IPMR on text", true},
                                            {"repeat_ipmr", "IPMR on repeated random tokens", true},
                                            {"agreement", "agreement between windows", false}}};

size_t heads_in(const query::HeadMatrix& matrix) {
  size_t heads = 1;
  for (const auto& row : matrix) heads = std::max(heads, row.size());
  return heads;
}

// Small values are what matters: the root spreads them.
std::string cell(double x, double y, double width, double height, double value, std::string_view title) {
  return fmt::format(
      "<rect class=\"{}\" style=\"stroke:none;fill-opacity:{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">"
      "<title>{}</title></rect>\n",
      render::colour_class(render::kPaletteSize + render::kRampSize - 1),
      render::svg_number(0.05 + 0.95 * std::sqrt(std::clamp(value, 0.0, 1.0))), render::svg_number(x),
      render::svg_number(y), render::svg_number(width), render::svg_number(height), render::escape_html(title));
}

std::string outline(double x, double y, double width, double height) {
  return fmt::format("<rect class=\"{} bs-o\" stroke-width=\"1.6\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                     render::colour_class(1), render::svg_number(x), render::svg_number(y), render::svg_number(width),
                     render::svg_number(height));
}

// The cells' sizes of one variant's maps.
struct Grid {
  size_t layers = 0, heads = 0;
  double cell_width = 0, cell_height = 0;
  double height() const { return kMapTitle + static_cast<double>(layers) * cell_height + kBelow; }
};

Grid grid_of(const query::PointerHealth& health) {
  const query::HeadMatrix& matrix = health.map("ipmr");
  const double room = (kWidth - kLeft - 10 - 2 * kGap) / 3;
  Grid grid{matrix.size(), heads_in(matrix), 0, 0};
  grid.cell_width = std::clamp(room / static_cast<double>(grid.heads), 1.0, kMostCell);
  grid.cell_height = std::clamp(grid.cell_width, kLeastCell, 18.0);
  return grid;
}

std::string paint_map(const query::PointerHealth& health, const MapKind& kind, const Grid& grid, double left,
                      double top) {
  const query::HeadMatrix& matrix = health.map(kind.name);
  if (matrix.empty()) return "";
  std::string title = kind.title, outlines;
  const auto chance = health.total(std::string(kind.name) + "_chance");
  if (chance) title += fmt::format(" (chance {:.1f} %)", 100 * *chance);
  std::string out = render::svg_text(left, top + 11, title, {"bs-m", kFont, render::Anchor::start, false});
  const double at = top + kMapTitle;
  for (size_t layer = 0; layer < matrix.size(); ++layer) {
    const double y = at + static_cast<double>(layer) * grid.cell_height;
    for (size_t head = 0; head < matrix[layer].size(); ++head) {
      const std::optional<double>& value = matrix[layer][head];
      if (!value) continue;
      const double x = left + static_cast<double>(head) * grid.cell_width;
      out += cell(x, y, grid.cell_width, grid.cell_height, *value,
                  fmt::format("{}: {:.1f} %", head_name(layer, head), 100 * *value));
      if (kind.specialists && health.is_specialist(kind.name, *value))
        outlines += outline(x + 0.8, y + 0.8, grid.cell_width - 1.6, grid.cell_height - 1.6);
    }
  }
  // As many labels as there is room for.
  const double bottom = at + static_cast<double>(grid.layers) * grid.cell_height;
  const auto every = static_cast<size_t>(std::ceil(28 / grid.cell_width));
  for (size_t head = 0; head < grid.heads; head += every)
    out += render::svg_text(left + (static_cast<double>(head) + 0.5) * grid.cell_width, bottom + 12,
                            fmt::format("H{}", head), {"bs-m", 10, render::Anchor::middle, false});
  return out + outlines;
}

std::string paint_layers(const Grid& grid, double right, double top) {
  std::string out;
  const auto every = static_cast<size_t>(std::ceil(11 / grid.cell_height));
  for (size_t layer = 0; layer < grid.layers; layer += every)
    out += render::svg_text(right, top + kMapTitle + (static_cast<double>(layer) + 0.5) * grid.cell_height + 3.5,
                            fmt::format("L{}", layer), {"bs-m", 10, render::Anchor::end, false});
  return out;
}

std::string paint_legend(double top) {
  std::string out;
  double x = kLeft;
  for (const double value : {0.0, 0.05, 0.25, 0.5, 1.0}) {
    const std::string label = fmt::format("{:.0f} %", 100 * value);
    out += cell(x, top, 18, 12, value, label);
    out += render::svg_text(x + 23, top + 10, label, {"bs-t", kFont, render::Anchor::start, false});
    x += 66;
  }
  out += outline(x + 0.8, top + 0.8, 16.4, 10.4);
  return out + render::svg_text(x + 23, top + 10, "specialist", {"bs-t", kFont, render::Anchor::start, false});
}

}  // namespace

std::optional<DrawnFigure> heads_figure(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  std::vector<ProbedVariant> probed = probed_variants(input, g);
  if (probed.empty()) return std::nullopt;
  if (probed.size() > kMostVariants) probed.resize(kMostVariants);
  DrawnFigure drawn{{"heads.svg",
                     "Where attention looks",
                     "Layers downwards, heads across, of each variant's largest run. Left: how often a head looks at "
                     "what followed an earlier occurrence of its token, on validation text. Middle: the same on "
                     "repeated random tokens. Outlined: specialists. Right: how often two windows make the head look "
                     "at the same place; 100 % is a head that goes by position alone.",
                     {},
                     true},
                    ""};
  double top = kTop;
  std::string body;
  for (const ProbedVariant& p : probed) {
    const query::PointerHealth& health = *p.run->attention;
    const Grid grid = grid_of(health);
    body += render::svg_text(12, top + 12,
                             fmt::format("{}, {} parameters, run {}", p.variant,
                                         format_count(static_cast<double>(p.run->row.params)), p.run->row.id),
                             {"bs-t", 12, render::Anchor::start, true});
    top += kTitle;
    double left = kLeft;
    body += paint_layers(grid, left - 5, top);
    for (const MapKind& kind : kKinds) {
      body += paint_map(health, kind, grid, left, top);
      left += (kWidth - kLeft - 10 - 2 * kGap) / 3 + kGap;
    }
    top += grid.height();
  }
  const double height = top + 22;
  drawn.svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"bs\" role=\"img\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" style=\"max-width:100%;height:auto\">\n<title>{2}</title>\n<desc>{3}</desc>\n",
      render::svg_number(kWidth), render::svg_number(height), render::escape_html(drawn.figure.title),
      render::escape_html(drawn.figure.caption));
  drawn.svg += render::svg_style() +
               render::svg_text(12, 18, drawn.figure.title, {"bs-t", 14, render::Anchor::start, true}) + body +
               paint_legend(top) + "</svg>\n";
  return drawn;
}

}  // namespace bitsweep::report
