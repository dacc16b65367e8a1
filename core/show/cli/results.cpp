#include "cli/results.h"

#include <fmt/format.h>

#include "base/error.h"
#include "report/results_report.h"

namespace bitsweep::cli {

std::optional<fit::ResultsTable> read_results(const fs::path& file, const fit::PointsFormat& format) {
  return read_results_table(read_file(file), file.string(), format);
}

int report_results(const CommandLine& line, const fs::path& file, const fit::ResultsTable& table) {
  if (!line.positional().empty()) throw Error(ErrorKind::input, "bitsweep report: either sweeps or --points, not both");
  for (const char* option : {"law", "target", "budget", "claims", "factors", "label", "units"})
    if (line.has(option))
      throw Error(
          ErrorKind::input,
          fmt::format("--{}: {} is a table of results by '{}', without params and tokens: there is no law of it",
                      option, file.string(), table.label));
  report::ResultsInput input;
  input.name = line.get("name").value_or(file.stem().string());
  input.version = BITSWEEP_VERSION;
  input.source = "bitsweep report --points " + file.filename().string();
  for (const char* option : {"map", "where", "baseline"})
    if (line.has(option)) input.source += fmt::format(" --{} '{}'", option, *line.get(option));
  input.table = table;
  input.baseline = choose_baseline(table, line.get("baseline").value_or(""));
  for (const std::string& note : table.notes) print_error("note: " + note);
  const std::vector<report::ReportFile> files = render_results(input);
  if (!line.has("json")) {
    const fs::path folder = line.get("out").value_or("reports");
    print(write_report(folder, input.name, files).string() + "\n");
    return 0;
  }
  for (const report::ReportFile& written : files)
    if (written.name == "report.json") print(written.bytes);
  return 0;
}

}  // namespace bitsweep::cli
