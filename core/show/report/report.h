// From measured runs to a report: gather (analysis/input.h), render (pure), write (files).
//
// The report is one folder: report.md (renders on GitHub), report.html (self-contained), report.json (every figure of
// it), comparisons.csv, and the figures as *.svg. Rendering is a pure function of the input, to the byte: no clock, no
// locale, no order of addresses. What the data cannot support is refused in words.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "base/files.h"

namespace bitsweep::report {

struct ReportFile {
  std::string name;  // within the report's folder
  std::string bytes;
};

// All files of the report. Pure.
std::vector<ReportFile> render_report(const analysis::ReportInput& input);
// The same where the input has been analysed already.
std::vector<ReportFile> render_report(const analysis::ReportInput& input, const analysis::Analysis& analysis);

// Writes them into FOLDER/NAME, each atomically, removes figures of an earlier report of this name that are no longer
// made, and returns the path of report.md. Throws Error{environment}.
fs::path write_report(const fs::path& folder, const std::string& name, const std::vector<ReportFile>& files);

}  // namespace bitsweep::report
