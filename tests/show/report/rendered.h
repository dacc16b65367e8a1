// Made inputs (analysis/report_input.h) as the files of a report.
#pragma once

#include <string>
#include <vector>

#include "analysis/report_input.h"
#include "report/report.h"

namespace bitsweep::report {

inline std::string file_of(const std::vector<ReportFile>& files, const std::string& name) {
  for (const ReportFile& file : files)
    if (file.name == name) return file.bytes;
  return "";
}
inline std::string markdown_of(const analysis::ReportInput& input) {
  return file_of(render_report(input), "report.md");
}

}  // namespace bitsweep::report
