// Another metric in the place of the validation loss: laws and reports of a task's bits per byte, of a text beside.
#pragma once

#include <string>

#include "analysis/input.h"
#include "query/query.h"

namespace bitsweep::analysis {

// How it is to be read. Throws Error{input} naming --loss, where no run has told it, or less of it is not better: a law
// is of what falls.
MetricKind require_loss(const query::Query& query, const std::string& metric);

// The metric's values stand for the validation loss in every run of the input, its curve too; best is the lowest. What
// is of the validation loss alone goes: windows, count models, predictions. Which setting of a place is the best the
// validation loss decides as before, and so it does which run has diverged. Throws as require_loss().
void take_loss(const query::Query& query, const std::string& metric, ReportInput& input);

}  // namespace bitsweep::analysis
