#include "report/stored.h"

#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"

namespace bitsweep {
namespace {

// What the first run of a cell said at its start; nothing of an older worker's.
std::optional<StoredCell> stored_of(const ReportInput& input, const GroupAnalysis& g, size_t cell) {
  const json::object& start = input.runs[g.table.cells[cell].runs.front()].start;
  StoredCell stored;
  stored.cell = cell;
  stored.bits_per_weight = number_or(start, "stored_bits_per_weight", 0);
  stored.bytes = integer_or(start, "stored_bytes", 0);
  if (stored.bits_per_weight <= 0 || stored.bytes <= 0) return std::nullopt;
  return stored;
}

bool same_point(const ReportCell& a, const ReportCell& b) {
  return a.size_class == b.size_class && a.budget_class == b.budget_class;
}

// As the comparison of the two variants has it: seed by seed where it can be.
std::optional<Estimate> change_between(const std::vector<VariantGap>& gaps, size_t from, size_t to) {
  for (const VariantGap& gap : gaps) {
    if (gap.a == from && gap.b == to) return gap.change;
    if (gap.a != to || gap.b != from) continue;
    Estimate back = gap.change;
    back.mean = -back.mean;
    return back;
  }
  return std::nullopt;
}

void find_twin(StoredCell& of, const std::vector<StoredCell>& among, const GroupAnalysis& g) {
  const StoredCell* twin = nullptr;
  for (const StoredCell& other : among) {
    const bool fuller = other.bits_per_weight > (twin != nullptr ? twin : &of)->bits_per_weight;
    if (fuller && same_point(g.table.cells[other.cell], g.table.cells[of.cell])) twin = &other;
  }
  if (twin == nullptr) return;
  of.change = change_between(g.gaps, twin->cell, of.cell);
  if (!of.change) return;
  of.twin = twin->cell;
  of.smaller = static_cast<double>(twin->bytes) / static_cast<double>(of.bytes);
}

std::string change_text(const Estimate& change) {
  return format_delta(change.mean) + (change.half_width ? " ± " + format_bpc(*change.half_width) : "");
}

std::string short_number(double value) { return fmt::format("{:.3g}", value); }  // 1.58, 20

std::string bytes_text(int64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

std::string sentence(const StoredCell& stored, const GroupAnalysis& g) {
  const double change = stored.change->mean;
  const std::string spread = stored.change->half_width ? " ± " + format_bpc(*stored.change->half_width) : "";
  return fmt::format(": {} {} a weight, {}, {} times smaller than {}; it {} {}.", short_number(stored.bits_per_weight),
                     stored.bits_per_weight == 1 ? "bit" : "bits", bytes_text(stored.bytes),
                     short_number(stored.smaller), g.table.cells[*stored.twin].variant, change > 0 ? "loses" : "gains",
                     in_loss_unit(g, format_bpc(std::abs(change)) + spread));
}

}  // namespace

std::vector<StoredCell> stored_cells(const ReportInput& input, const GroupAnalysis& g) {
  std::vector<StoredCell> cells;
  for (const size_t cell : g.table.chosen)
    if (const auto stored = stored_of(input, g, cell)) cells.push_back(*stored);
  for (StoredCell& cell : cells) find_twin(cell, cells, g);
  return cells;
}

std::vector<Block> stored_section(const ReportInput& input, const GroupAnalysis& g, int level) {
  const std::vector<StoredCell> cells = stored_cells(input, g);
  if (cells.empty()) return {};
  Table t{{{"variant"},
           {"params", Align::right},
           {"tokens", Align::right},
           {"bits/weight", Align::right},
           {"stored", Align::right},
           {"final", Align::right},
           {"against"},
           {"change", Align::right},
           {"smaller", Align::right}},
          {}};
  std::map<std::string, const StoredCell*> last;  // cells come by size, then budget
  std::vector<std::string> order;
  for (const StoredCell& stored : cells) {
    const ReportCell& cell = g.table.cells[stored.cell];
    t.rows.push_back({cell.variant, format_count(cell.params), format_count(cell.tokens),
                      short_number(stored.bits_per_weight), bytes_text(stored.bytes), format_bpc(cell.final_bpc.mean),
                      stored.twin ? g.table.cells[*stored.twin].variant : kNothing,
                      stored.change ? change_text(*stored.change) : kNothing,
                      stored.twin ? short_number(stored.smaller) + "×" : kNothing});
    if (!stored.twin) continue;
    if (!last.contains(cell.variant)) order.push_back(cell.variant);
    last[cell.variant] = &stored;
  }
  std::vector<Block> blocks;
  blocks.emplace_back(Heading{level, "What a stored bit buys"});
  blocks.emplace_back(Paragraph{
      "Stored: weights at their bits as deployed, and thresholds, scales, norms and biases at 32 bits each. The "
      "change is the final loss minus that of the variant with the most bits a weight at the same size and "
      "tokens, as above."});
  blocks.emplace_back(TableBlock{std::move(t)});
  BulletList told;
  for (const std::string& variant : order) told.items.push_back(Text().strong(variant) << sentence(*last[variant], g));
  if (!told.items.empty()) blocks.emplace_back(std::move(told));
  return blocks;
}

json::array stored_json(const ReportInput& input, const GroupAnalysis& g) {
  json::array list;
  for (const StoredCell& stored : stored_cells(input, g)) {
    const ReportCell& cell = g.table.cells[stored.cell];
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

}  // namespace bitsweep
