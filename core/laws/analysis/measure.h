// Which cells are of one size and one budget, and by which measure of the two (Measure, in cells.h). Pure.
#pragma once

#include "analysis/cells.h"

namespace bitsweep::analysis {

// Fills in the table's measure, sizes and budgets, and the classes of its cells.
void classify_cells(CellTable& table);

}  // namespace bitsweep::analysis
