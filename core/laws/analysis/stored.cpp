#include "analysis/stored.h"

#include <cmath>

namespace bitsweep::analysis {
namespace {

// What the first run of a cell said at its start; nothing of an older worker's.
std::optional<StoredCell> stored_of(const ReportInput& input, const GroupAnalysis& g, size_t cell) {
  const MeasuredRun& run = input.runs[g.table.cells[cell].runs.front()];
  const auto size = stored_size(run.start, run.row.params);
  if (!size) return std::nullopt;
  StoredCell stored;
  stored.cell = cell;
  stored.bits_per_weight = size->bits_per_weight;
  stored.bytes = size->bytes;
  return stored;
}

bool same_point(const ReportCell& a, const ReportCell& b) {
  return a.size_class == b.size_class && a.budget_class == b.budget_class;
}

// As the comparison of the two variants has it: seed by seed where it can be.
std::optional<Estimate> change_between(const std::vector<VariantComparison>& gaps, size_t from, size_t to) {
  for (const VariantComparison& gap : gaps) {
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
  of.change = change_between(g.variant_comparisons, twin->cell, of.cell);
  if (!of.change) return;
  of.twin = twin->cell;
  of.smaller = static_cast<double>(twin->bytes) / static_cast<double>(of.bytes);
}

}  // namespace

std::optional<StoredSize> stored_size(const json::object& start, int64_t params) {
  StoredSize size{number_or(start, "stored_bits_per_weight", 0), integer_or(start, "stored_bytes", 0)};
  if (size.bits_per_weight <= 0 || size.bytes <= 0) return std::nullopt;
  if (start.contains("stored_float_bits")) return size;
  if (size.bits_per_weight == 32) return StoredSize{16, size.bytes / 2};
  const json::value* extra = start.if_contains("params_extra");
  if (size.bits_per_weight != 1 || extra == nullptr) return size;
  // bytes = (params − vectors) / 8 + 4 (vectors + extra)
  const auto beside = number_or(start, "params_extra", 0);
  const double vectors =
      (static_cast<double>(size.bytes) - static_cast<double>(params) / 8 - 4 * beside) / (4 - 1.0 / 8);
  if (vectors > 0) size.bytes -= std::llround(2 * (vectors + beside));
  return size;
}

std::vector<StoredCell> stored_cells(const ReportInput& input, const GroupAnalysis& g) {
  std::vector<StoredCell> cells;
  for (const size_t cell : g.table.chosen)
    if (const auto stored = stored_of(input, g, cell)) cells.push_back(*stored);
  for (StoredCell& cell : cells) find_twin(cell, cells, g);
  return cells;
}

}  // namespace bitsweep::analysis
