#include "render/svg_draw.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "render/escape.h"

namespace bitsweep::render {
namespace {

struct Shade {
  const char* light;
  const char* dark;
};

// After Okabe and Ito, each darkened (lightened) until it stands out from white (from near-black).
constexpr std::array<Shade, kPaletteSize> kPalette = {{{"#0072b2", "#4fb3f6"},
                                                       {"#d55e00", "#ff8f52"},
                                                       {"#009e73", "#2fd3a2"},
                                                       {"#b2549a", "#f0a0d2"},
                                                       {"#3a9bd9", "#a6daff"},
                                                       {"#b98300", "#f5c14c"},
                                                       {"#5d4fb3", "#aa9cff"},
                                                       {"#6e4b3a", "#c9a793"}}};
// Viridis, without the ends that vanish on white or on black.
constexpr std::array<Shade, kRampSize> kRamp = {{{"#9ac93a", "#f2e35a"},
                                                 {"#35b779", "#a4dd5f"},
                                                 {"#1f9e89", "#4ccb8c"},
                                                 {"#2a788e", "#37b6b0"},
                                                 {"#414487", "#5f9fe0"},
                                                 {"#440154", "#a98fe8"}}};

std::string colour_rules(bool dark) {
  const auto pick = [dark](const Shade& shade) { return dark ? shade.dark : shade.light; };
  std::string css;
  for (size_t i = 0; i < kPalette.size(); ++i)
    css += fmt::format(".bs-c{0}{{stroke:{1};fill:{1}}}", i, pick(kPalette[i]));
  for (size_t i = 0; i < kRamp.size(); ++i) css += fmt::format(".bs-q{0}{{stroke:{1};fill:{1}}}", i, pick(kRamp[i]));
  return css;
}

const char* anchor_name(Anchor anchor) {
  return anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
}

}  // namespace

int ramp_colour(size_t i, size_t n) {
  if (n <= 1) return kPaletteSize + kRampSize / 2;
  // Few values take the middle of the ramp apart, not its palest end.
  const double from = n <= 3 ? 1 : 0;
  const double at = from + static_cast<double>(i) * (kRampSize - 1 - from) / static_cast<double>(n - 1);
  return kPaletteSize + static_cast<int>(std::lround(at));
}

std::string colour_class(int colour) {
  if (colour < 0) return "bs-n";
  if (colour >= kPaletteSize) return fmt::format("bs-q{}", (colour - kPaletteSize) % kRampSize);
  return fmt::format("bs-c{}", colour);
}

std::string svg_style() {
  static constexpr const char* kLight =
      ".bs-t{fill:#1f2328}.bs-m{fill:#59636e}.bs-a{stroke:#818b98}.bs-g{stroke:#d1d9e0}.bs-n{stroke:#59636e;fill:#"
      "59636e}";
  static constexpr const char* kDark =
      ".bs-t{fill:#f0f6fc}.bs-m{fill:#9198a1}.bs-a{stroke:#656c76}.bs-g{stroke:#3d444d}.bs-n{stroke:#9198a1;fill:#"
      "9198a1}";
  return fmt::format(
      "<style>.bs{{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}}{}{}"
      ".bs .bs-l{{fill:none;stroke-linejoin:round}}.bs .bs-b{{stroke:none;fill-opacity:.16}}.bs .bs-o{{fill:none}}.bs "
      ".bs-e{{stroke:none;fill-opacity:.07}}"
      ".bs .bs-h{{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}}"
      "@media (prefers-color-scheme:dark){{{}{}.bs .bs-h{{stroke:#0d1117}}}}</style>\n",
      kLight, colour_rules(false), kDark, colour_rules(true));
}

std::string svg_number(double value) {
  std::string digits = fmt::format("{:.2f}", value);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits == "-0" ? "0" : digits;
}

std::string svg_text(double x, double y, std::string_view text, const TextStyle& style) {
  return fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{}\"{}>{}</text>\n",
                     style.cls, svg_number(x), svg_number(y), svg_number(style.size_px), anchor_name(style.anchor),
                     style.bold ? " font-weight=\"600\"" : "", escape_html(text));
}

std::string svg_rotated_text(double x, double y, std::string_view text, const TextStyle& style) {
  return fmt::format(
      "<text class=\"{}\" transform=\"translate({},{}) rotate(-90)\" font-size=\"{}\" text-anchor=\"{}\">{}</text>\n",
      style.cls, svg_number(x), svg_number(y), svg_number(style.size_px), anchor_name(style.anchor), escape_html(text));
}

std::string svg_line(double x1, double y1, double x2, double y2, std::string_view attributes) {
  return fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>\n", svg_number(x1), svg_number(y1),
                     svg_number(x2), svg_number(y2), attributes);
}

std::string svg_marker(Marker marker, int colour, double x, double y, double r, std::string_view title) {
  const std::string cls = colour_class(colour);
  const auto path = [&](const std::string& d, const char* extra) {
    return fmt::format("<path class=\"{}{}\" d=\"{}\"", cls, extra, d);
  };
  const auto n = svg_number;
  std::string shape;
  switch (marker) {
    case Marker::none:  // nothing to see, but something to hover over
      shape = fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill-opacity=\"0\" stroke=\"none\"", n(x), n(y), n(r));
      break;
    case Marker::circle:
      shape = fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"", cls, n(x), n(y), n(r));
      break;
    case Marker::ring:
      shape = fmt::format("<circle class=\"{} bs-o\" cx=\"{}\" cy=\"{}\" r=\"{}\" stroke-width=\"1.6\"", cls, n(x),
                          n(y), n(r));
      break;
    case Marker::square:
      shape =
          path(fmt::format("M{} {}h{}v{}h{}z", n(x - r * .9), n(y - r * .9), n(r * 1.8), n(r * 1.8), n(-r * 1.8)), "");
      break;
    case Marker::triangle:
      shape = path(fmt::format("M{} {}L{} {}L{} {}z", n(x), n(y - r * 1.2), n(x + r * 1.1), n(y + r * .8),
                               n(x - r * 1.1), n(y + r * .8)),
                   "");
      break;
    case Marker::diamond:
      shape = path(fmt::format("M{} {}L{} {}L{} {}L{} {}z", n(x), n(y - r * 1.3), n(x + r * 1.3), n(y), n(x),
                               n(y + r * 1.3), n(x - r * 1.3), n(y)),
                   "");
      break;
    case Marker::cross:
      shape = path(fmt::format("M{} {}L{} {}M{} {}L{} {}", n(x - r), n(y - r), n(x + r), n(y + r), n(x - r), n(y + r),
                               n(x + r), n(y - r)),
                   " bs-o") +
              " stroke-width=\"1.8\"";
      break;
  }
  if (title.empty()) return shape + "/>\n";
  const char* tag = shape.rfind("<path", 0) == 0 ? "path" : "circle";
  return fmt::format("{}><title>{}</title></{}>\n", shape, escape_html(title), tag);
}

}  // namespace bitsweep::render
