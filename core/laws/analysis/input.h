// What a report and its analysis are made from: measured runs with their settings and curves, from the database or from
// a file of points, and what was asked of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/advice.h"
#include "analysis/claims.h"
#include "base/code_build.h"
#include "base/json.h"
#include "fit/points.h"
#include "query/calibration.h"
#include "query/query.h"

namespace bitsweep::analysis {

struct MeasuredRun {
  query::RunRow row;
  std::vector<query::EvalRow> curve;  // ascending steps
  std::vector<query::AttemptRow> attempts;
  json::object start;                  // Query::start_facts
  std::vector<CodeBuild> builds = {};  // Query::builds
  std::optional<query::PointerHealth> attention = std::nullopt;
  query::WindowLosses windows = {};  // of its last evaluation
  // Of each evaluation what sums up a task, and the loss of each text beside (eval.also); ascending steps.
  std::vector<query::MetricRow> told = {};
};

struct ReportInput {
  std::string name;  // the report's title and folder
  std::vector<std::string> sweeps;
  std::vector<MeasuredRun> runs;  // in the order they were planned
  std::vector<query::DatasetRow> datasets;
  MetricKinds kinds;              // how their metrics are to be read
  std::optional<MetricKind> loss;  // the metric in the place of the validation loss (other_loss.h)
  std::vector<std::string> laws;  // power | chinchilla; empty: the report's own choice
  std::vector<fit::Target> targets;
  // Whose best division is asked for; both empty: what the largest run took, and ten times that.
  std::vector<double> budget_flops, budget_hours;
  double extrapolation_limit = 1000;       // a target or division further outside of the runs is refused
  std::vector<query::PredictionRow> predictions;  // stored before their runs began
  std::string source;                      // how to get this input again: a query or a file
  std::string version;                     // of the program
  std::vector<std::string> notes;          // what reading a file of points left out or took together, a sentence each
  int64_t checkpoints = 0;                 // of a file: its rows that are checkpoints of runs
  // Worked out by others after the analysis (advice.h).
  std::vector<TargetPlan> plans;
  std::vector<NextRuns> next;
  std::vector<EarlierFit> earlier;
  std::map<std::string, CodeBuild> at_hand;  // by plugin: which code would run now; empty: nobody looked
  std::vector<Claim> claims;                 // what somebody says of these runs, to be checked
};

// The metrics of the texts that a run is scored on beside its own: "base.bpc".
std::vector<std::string> texts_beside(const query::RunRow& row);

// Everything the database holds of these sweeps, with the laws and targets their files name. `name` is "" for the
// sweeps' own names joined by '+'. Throws Error{input} on an unknown sweep.
ReportInput gather_report(const query::Query& query, const std::vector<std::string>& sweeps, std::string name,
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
ReportInput report_from_points(const std::vector<fit::Point>& points, std::string name, std::string source,
                               std::string version, const std::vector<PointSettings>& settings = {});

}  // namespace bitsweep::analysis
