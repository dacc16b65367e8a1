#include "report/stored_section.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "analysis/stored.h"
#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"
#include "report/interval_words.h"

namespace bitsweep::report {
namespace {

std::string change_text(const analysis::Estimate& change) {
  return render::format_delta(change.mean) + spread_text(change);
}

std::string short_number(double value) { return fmt::format("{:.3g}", value); }  // 1.58, 20

std::string bytes_text(int64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

std::string sentence(const analysis::StoredCell& stored, const analysis::GroupAnalysis& g) {
  const double change = stored.change->mean;
  const std::string spread = spread_text(*stored.change);
  return fmt::format(": {} {} a weight, {}, {} times smaller than {}; it {} {}.", short_number(stored.bits_per_weight),
                     stored.bits_per_weight == 1 ? "bit" : "bits", bytes_text(stored.bytes),
                     short_number(stored.smaller), g.table.cells[*stored.twin].variant, change > 0 ? "loses" : "gains",
                     in_loss_unit(g, render::format_bpc(std::abs(change)) + spread));
}

}  // namespace

std::vector<render::Block> stored_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                          int level) {
  std::vector<analysis::StoredCell> cells = stored_cells(input, g);
  if (cells.empty()) return {};
  // What is compared leads, what it is compared with follows.
  std::stable_partition(cells.begin(), cells.end(), [](const analysis::StoredCell& c) { return c.twin.has_value(); });
  render::Table t{{{"variant"},
                   {"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"bits/weight", render::Align::right},
                   {"stored", render::Align::right},
                   {"final", render::Align::right},
                   {"against"},
                   {"change", render::Align::right},
                   {"smaller", render::Align::right}},
                  {}};
  std::map<std::string, const analysis::StoredCell*> last;  // cells come by size, then budget
  std::vector<std::string> order;
  for (const analysis::StoredCell& stored : cells) {
    const analysis::ReportCell& cell = g.table.cells[stored.cell];
    t.rows.push_back({cell.variant, format_count(cell.params), format_count(cell.tokens),
                      short_number(stored.bits_per_weight), bytes_text(stored.bytes),
                      render::format_bpc(cell.final_bpc.mean),
                      stored.twin ? g.table.cells[*stored.twin].variant : render::kNothing,
                      stored.change ? change_text(*stored.change) : render::kNothing,
                      stored.twin ? short_number(stored.smaller) + "×" : render::kNothing});
    if (!stored.twin) continue;
    if (!last.contains(cell.variant)) order.push_back(cell.variant);
    last[cell.variant] = &stored;
  }
  std::vector<render::Block> blocks;
  blocks.emplace_back(render::Heading{level, "What a stored bit buys"});
  blocks.emplace_back(render::Paragraph{
      "Stored: weights at their bits as deployed, and every float (thresholds, scales, norms, biases, and the weights "
      "of variants that keep them) at 16 bits, whatever it was trained in. The "
      "change is the final loss minus that of the variant with the most bits a weight at the same size and "
      "tokens, as above."});
  blocks.emplace_back(render::TableBlock{.table = std::move(t), .worth = render::TableBlock::Worth::minor});
  render::BulletList told;
  for (const std::string& variant : order)
    told.items.push_back(render::Text().strong(variant) << sentence(*last[variant], g));
  if (!told.items.empty()) blocks.emplace_back(std::move(told));
  return blocks;
}

json::array stored_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  json::array list;
  for (const analysis::StoredCell& stored : stored_cells(input, g)) {
    const analysis::ReportCell& cell = g.table.cells[stored.cell];
    json::object row{{"variant", cell.variant},
                     {"params", cell.params},
                     {"tokens", cell.tokens},
                     {"bits_per_weight", stored.bits_per_weight},
                     {"bytes", stored.bytes}};
    if (stored.twin) {
      row["against"] = g.table.cells[*stored.twin].variant;
      row["change"] = stored.change->mean;
      row["smaller"] = stored.smaller;
    }
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace bitsweep::report
