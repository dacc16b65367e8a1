#include "report/heads.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/head_map.h"

namespace bitsweep::report {
namespace {

std::string percent(std::optional<double> fraction) {
  return fraction ? fmt::format("{:.1f} %", 100 * *fraction) : render::kNothing;
}

// The head with the highest value, and that value: "L1H3, 63.0 %".
std::string best_head(const query::HeadMatrix& matrix) {
  std::string name;
  double best = -1;
  for (size_t layer = 0; layer < matrix.size(); ++layer)
    for (size_t head = 0; head < matrix[layer].size(); ++head)
      if (matrix[layer][head].value_or(-1) > best) {
        best = *matrix[layer][head];
        name = head_name(layer, head);
      }
  return name.empty() ? render::kNothing : fmt::format("{}, {}", name, percent(best));
}

json::array names_json(const query::PointerHealth& health, const std::string& map) {
  json::array names;
  for (const query::NamedHead& head : query::specialists_of(health, map)) names.emplace_back(head.name);
  return names;
}

render::Table probes_table(const std::vector<ProbedVariant>& probed) {
  render::Table t{{{"variant"},
                   {"params", render::Align::right},
                   {"step", render::Align::right},
                   {"best head on text"},
                   {"chance", render::Align::right},
                   {"specialists"},
                   {"best head on repeats"},
                   {"chance", render::Align::right},
                   {"specialists"},
                   {"position-locked", render::Align::right},
                   {"content-driven", render::Align::right},
                   {"in-context, bits", render::Align::right}},
                  {}};
  for (const ProbedVariant& p : probed) {
    const query::PointerHealth& health = *p.run->attention;
    const query::HeadSplit split = query::split_of(health.map("agreement"));
    const auto of_all = [&](int64_t n) {
      return split.heads > 0 ? fmt::format("{} of {}", n, split.heads) : render::kNothing;
    };
    t.rows.push_back({p.variant, format_count(static_cast<double>(p.run->row.params)), std::to_string(health.step),
                      best_head(health.map("ipmr")), percent(health.total("ipmr_chance")),
                      specialists_text(health, "ipmr"), best_head(health.map("repeat_ipmr")),
                      percent(health.total("repeat_ipmr_chance")), specialists_text(health, "repeat_ipmr"),
                      of_all(split.locked), of_all(split.content),
                      render::format_delta(health.total("in_context_bits"))});
  }
  return t;
}

}  // namespace

std::vector<ProbedVariant> probed_variants(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  const auto order = [](const analysis::MeasuredRun& run) {
    return std::tuple(-run.row.params, -run.row.tokens, run.row.seed, run.row.id);
  };
  std::vector<ProbedVariant> probed;
  for (const std::string& variant : g.table.variants) {
    const analysis::MeasuredRun* best = nullptr;
    for (size_t k = 0; k < g.group.runs.size(); ++k) {
      const size_t r = g.group.runs[k];
      const analysis::MeasuredRun& run = input.runs[r];
      const bool usable = std::find(g.usable.begin(), g.usable.end(), r) != g.usable.end();
      if (g.variant_of[k] != variant || !usable || !run.attention) continue;
      if (best == nullptr || order(run) < order(*best)) best = &run;
    }
    if (best != nullptr) probed.push_back({variant, best});
  }
  return probed;
}

std::vector<render::Block> heads_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                         const GroupFigures& figures, int level) {
  const std::vector<ProbedVariant> probed = probed_variants(input, g);
  if (probed.empty()) return {};
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{level, "Where attention looks"});
  blocks.emplace_back(render::Paragraph{
      "Of each variant's largest run. IPMR, the induction pointer match rate: of the queries whose token "
      "occurred earlier in the window, the fraction that look most at what followed it then. Chance is what "
      "a query gets that looks at any earlier token, or itself, at random. A head is a specialist where "
      "it is 5 points above chance with 95 % confidence, by the number of queries it was measured on. Position-locked "
      "heads look at the same place in at least 90 % of pairs of windows, "
      "content-driven ones in fewer than half. The in-context score is the loss of late tokens of a window "
      "minus that of early ones."});
  for (const DrawnFigure& f : figures)
    if (f.figure.file.rfind("heads", 0) == 0)
      blocks.emplace_back(render::FigureBlock{f.figure.file, f.figure.title, f.figure.caption, f.svg});
  blocks.emplace_back(render::TableBlock{probes_table(probed)});
  return blocks;
}

json::array heads_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  json::array list;
  for (const ProbedVariant& p : probed_variants(input, g)) {
    json::object object{{"variant", p.variant}, {"run", p.run->row.id}};
    for (auto& member : to_json(*p.run->attention)) object[member.key()] = member.value();
    object["specialists"] = names_json(*p.run->attention, "ipmr");
    object["repeat_specialists"] = names_json(*p.run->attention, "repeat_ipmr");
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace bitsweep::report
