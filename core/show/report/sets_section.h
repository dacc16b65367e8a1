// Several sets of comparable runs side by side: how far the law of each is known. Pure.
#pragma once

#include "analysis/analysis.h"
#include "render/table.h"

namespace bitsweep::report {

// A row a set and variant.
render::Table sets_table(const analysis::Analysis& analysis);

}  // namespace bitsweep::report
