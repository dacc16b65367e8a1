// What is wrong, or told, between the rows of a table of points: copies, runs listed twice, seeds that are none. Pure.
#pragma once

#include <string>
#include <vector>

#include "fit/points_csv.h"

namespace bitsweep::fit {

// Rows without seed or run that are equal to another in every column are copies: counted once, and said.
void drop_copies(PointTable& table);

// A run that is listed twice would count twice: one finding, with both lines of the first pair.
void find_repetitions(const std::vector<PointRow>& rows, Findings& findings);

// Rows of one configuration, with losses that differ by a factor of two or more, are no seeds of it. Says so in
// `no_seeds` where a column of the file tells them apart, and names it; else in `notes`. `known`: columns whose meaning
// is known already.
void find_uneven_seeds(PointTable& table, const std::vector<std::string>& known);

}  // namespace bitsweep::fit
