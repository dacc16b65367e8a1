#include "report/head_map.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "render/table.h"

namespace bitsweep::report {
namespace {

// Where the shades begin.
constexpr std::array<double, 4> kLimits = {0.05, 0.15, 0.35, 0.65};
constexpr std::array<const char*, 5> kBlocks = {"··", "░░", "▒▒", "▓▓", "██"};
constexpr std::array<const char*, 5> kLetters = {" .", " -", " +", " *", " #"};

size_t shade_of(double value) {
  return static_cast<size_t>(
      std::count_if(kLimits.begin(), kLimits.end(), [&](double limit) { return value >= limit; }));
}

size_t widest_row(const query::HeadMatrix& matrix) {
  size_t heads = 0;
  for (const auto& row : matrix) heads = std::max(heads, row.size());
  return heads;
}

std::string number_map(const query::HeadMatrix& matrix) {
  render::Table table{{{""}}, {}};
  for (size_t head = 0; head < widest_row(matrix); ++head)
    table.columns.push_back({fmt::format("H{}", head), render::Align::right});
  for (size_t layer = 0; layer < matrix.size(); ++layer) {
    std::vector<std::string> row{fmt::format("  L{}", layer)};
    for (const auto& value : matrix[layer]) row.push_back(value ? fmt::format("{:.1f}", 100 * *value) : "-");
    table.rows.push_back(std::move(row));
  }
  return terminal_table(table);
}

std::string in_context_text(const query::PointerHealth& health) {
  const auto text = health.total("in_context_bits"), repeated = health.total("repeat_in_context_bits");
  if (!text || !repeated) return "";
  return fmt::format("in-context score {:+.3f} bits per token on text, {:+.3f} on repeated tokens\n", *text, *repeated);
}

std::string split_text(const query::PointerHealth& health) {
  const query::HeadSplit split = query::split_of(health.map("agreement"));
  if (split.heads == 0) return "";
  return fmt::format("{} of {} heads are position-locked, {} content-driven\n", split.locked, split.heads,
                     split.content);
}

}  // namespace

std::string text_head_map(const query::HeadMatrix& matrix, bool unicode) {
  if (matrix.empty()) return "";
  const auto& shades = unicode ? kBlocks : kLetters;
  std::string text;
  for (size_t layer = 0; layer < matrix.size(); ++layer) {
    text += fmt::format("{:>6} ", fmt::format("L{}", layer));
    for (const auto& value : matrix[layer]) text += value ? shades[shade_of(*value)] : "  ";
    text += "\n";
  }
  // Every fourth head, under its cells.
  std::string heads(7, ' ');
  for (size_t head = 0; head < widest_row(matrix); head += 4) {
    heads.resize(7 + 2 * head, ' ');
    heads += fmt::format("H{}", head);
  }
  text += heads + "\n       ";
  for (size_t i = 0; i < kLimits.size(); ++i) text += fmt::format("{} {:.0f} %  ", shades[i + 1], 100 * kLimits[i]);
  return text.erase(text.find_last_not_of(' ') + 1) + "\n";
}

std::string specialists_text(const query::PointerHealth& health, const std::string& map, size_t most) {
  const std::vector<query::NamedHead> heads = query::specialists_of(health, map);
  const double chance = health.total(map + "_chance").value_or(0);
  if (heads.empty()) return "none";
  std::string text;
  for (size_t i = 0; i < std::min(most, heads.size()); ++i) {
    text += fmt::format("{}{} {:.1f} %", i > 0 ? ", " : "", heads[i].name, 100 * heads[i].value);
    if (chance > 0) text += fmt::format(" ({:.1f}× chance)", heads[i].value / chance);
  }
  if (heads.size() > most) text += fmt::format(", and {} more", heads.size() - most);
  return text;
}

std::string pointer_health_text(const query::PointerHealth& health, bool numbers, bool unicode) {
  std::string text;
  for (const auto& [name, title] : {std::pair{"ipmr", "text"}, std::pair{"repeat_ipmr", "repeated random tokens"}}) {
    const query::HeadMatrix& matrix = health.map(name);
    if (matrix.empty()) continue;
    const double chance = health.total(std::string(name) + "_chance").value_or(0);
    text += fmt::format("IPMR on {}, chance {:.1f} %\n{}", title, 100 * chance,
                        numbers ? number_map(matrix) : text_head_map(matrix, unicode));
    text += fmt::format("specialists ({:.0f} points above chance, with 95 % confidence): {}\n\n",
                        100 * kSpecialistMargin, specialists_text(health, name));
  }
  return text + split_text(health) + in_context_text(health);
}

}  // namespace bitsweep::report
