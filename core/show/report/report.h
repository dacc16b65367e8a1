// From measured runs to a report: gather (database), render (pure), write (files).
//
// The report is one folder: report.md (renders on GitHub), report.html (self-contained), report.json (every figure of
// it), comparisons.csv, and the figures as *.svg. Rendering is a pure function of the input, to the byte: no clock, no
// locale, no order of addresses. What the data cannot support is refused in words.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "fit/points.h"
#include "query/calibration.h"
#include "query/query.h"
#include "report/advice.h"
#include "report/claims.h"

namespace bitsweep {

struct MeasuredRun {
  RunRow row;
  std::vector<EvalRow> curve;  // ascending steps
  std::vector<AttemptRow> attempts;
  json::object start;  // Query::start_facts
  std::optional<PointerHealth> attention = std::nullopt;
};

struct ReportInput {
  std::string name;  // the report's title and folder
  std::vector<std::string> sweeps;
  std::vector<MeasuredRun> runs;  // in the order they were planned
  std::vector<DatasetRow> datasets;
  std::vector<std::string> laws;  // power | chinchilla; empty: the report's own choice
  std::vector<Target> targets;
  // Whose best division is asked for; both empty: what the largest run took, and ten times that.
  std::vector<double> budget_flops, budget_hours;
  double extrapolation_limit = 1000;       // a target or division further outside of the runs is refused
  std::vector<PredictionRow> predictions;  // stored before their runs began
  std::string source;                      // how to get this input again: a query or a file
  std::string version;                     // of the program
  std::vector<std::string> notes;          // what reading a file of points left out or took together, a sentence each
  int64_t checkpoints = 0;                 // of a file: its rows that are checkpoints of runs
  // Worked out by others after the analysis (advice.h).
  std::vector<TargetPlan> plans;
  std::vector<NextRuns> next;
  std::vector<EarlierFit> earlier;
  std::vector<Claim> claims;  // what somebody says of these runs, to be checked
};

struct ReportFile {
  std::string name;  // within the report's folder
  std::string bytes;
};

// Everything the database holds of these sweeps, with the laws and targets their files name. `name` is "" for the
// sweeps' own names joined by '+'. Throws Error{input} on an unknown sweep.
ReportInput gather_report(const Query& query, const std::vector<std::string>& sweeps, std::string name,
                          std::string version);

// What a file of points says of a run besides its point: so that what differs besides is told.
struct PointSettings {
  json::object spec;  // what it says of settings, where a sweep file has them: {"train": {"batch": 64}}
  int64_t steps = 0;  // 0: not known
  std::optional<double> wall_s;
  std::string state, exit_cause;  // as of a RunRow; "": done
  std::string device;             // what it ran on; "": not known
};

// The same from points instead of a database (fit/points_csv.h reads them from a file). `settings`: of each point, or
// empty.
ReportInput report_from_points(const std::vector<Point>& points, std::string name, std::string source,
                               std::string version, const std::vector<PointSettings>& settings = {});

// All files of the report. Pure.
std::vector<ReportFile> render_report(const ReportInput& input);
// The same where the input has been analysed already.
std::vector<ReportFile> render_report(const ReportInput& input, const Analysis& analysis);

// Writes them into FOLDER/NAME, each atomically, removes figures of an earlier report of this name that are no longer
// made, and returns the path of report.md. Throws Error{environment}.
fs::path write_report(const fs::path& folder, const std::string& name, const std::vector<ReportFile>& files);

}  // namespace bitsweep
