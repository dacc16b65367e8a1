// What the choice of validation windows does to losses: windows are a sample of the text, and two models that were
// scored on the same ones are compared window by window, where what makes a window hard cancels. Pure.
#pragma once

#include <optional>
#include <vector>

#include "analysis/cells.h"

namespace bitsweep::analysis {

// Of each window, the mean of these runs at their end (bits per byte); none where a run does not tell, or of other
// windows.
std::vector<double> mean_windows(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which);

// Of a cell's mean loss: sd of its windows / √n, else what its runs say of theirs. The seeds of a cell are scored on
// the same windows, so that more of them make it no smaller.
std::optional<WindowError> window_error(const std::vector<MeasuredRun>& runs, const ReportCell& cell);

// Of the difference of two cells that were scored on the same windows: of the differences window by window; where the
// windows are not told, as of two texts.
std::optional<WindowError> window_error_between(const std::vector<MeasuredRun>& runs, const ReportCell& a,
                                                const ReportCell& b);

// Of the difference of two cells that were scored on two texts.
std::optional<WindowError> window_error_apart(const std::vector<MeasuredRun>& runs, const ReportCell& a,
                                              const ReportCell& b);

// The mean of the runs' final validation losses, whatever metric stands in the place of the loss. REQUIRES finished
// runs.
double mean_validation_loss(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which);

}  // namespace bitsweep::analysis
