// Read-only questions to one root's database, answered as values. What a person, a table or a report asks goes through
// here; nothing here can write.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/code_build.h"
#include "base/files.h"
#include "base/metric_kind.h"
#include "query/calibration.h"
#include "query/pointer_health.h"
#include "query/rows.h"
#include "query/sql.h"

namespace bitsweep::query {

class Query {
 public:
  // Opens ROOT/bitsweep.db read-only; a coordinator may be writing at the same time. Throws as Store does: Error with
  // kind environment when there is no database yet, refused when it is newer, damaged or not ours.
  explicit Query(const fs::path& root);
  ~Query();
  Query(Query&&) noexcept;
  Query& operator=(Query&&) noexcept;

  const fs::path& root() const;

  // Every run, or those of one sweep, in the order they were planned; `where` is a SQL expression over the columns of
  // the view `runs` ("params > 1e6 and plugin = 'v57'"), "" for all. `most`: the newest ones alone, which
  // are found without reading the others; -1 all. Without specs: this is the fast way.
  std::vector<RunRow> runs(std::string_view sweep = {}, std::string_view where = {}, int64_t most = -1) const;
  // How many runs() would give.
  int64_t count_runs(std::string_view sweep = {}, std::string_view where = {}) const;
  // The runs of several sweeps, each run once, with specs: what a report is made of.
  std::vector<RunRow> runs_of(const std::vector<std::string>& sweeps) const;

  // The run whose id starts with `prefix`. Throws Error{input} naming the candidates when it is ambiguous, and the
  // nearest id when there is none.
  RunRow run(std::string_view prefix) const;
  // A sweep's name from its name or the path of its file. Throws Error{input} with the nearest name.
  std::string sweep_name(std::string_view name_or_file) const;
  std::vector<SweepRow> sweeps() const;

  std::vector<EvalRow> evals(std::string_view run) const;
  std::vector<MetricRow> metrics(std::string_view run) const;
  // Puts the newest values of these metrics into the rows that have them.
  void add_metrics(std::vector<RunRow>& rows, const std::vector<std::string>& names) const;
  // How metrics are to be read; and the names of all that any run has told, which takes reading all of them.
  MetricKinds metric_kinds() const;
  std::vector<std::string> metric_names() const;
  // Empty before its first evaluation, and of a run whose evaluations do not tell.
  WindowLosses window_losses(std::string_view run) const;
  std::vector<AttemptRow> attempts(std::string_view run) const;
  // What the latest attempt said at its start: device, threads, precision, build id, plugin version; empty before.
  json::object start_facts(std::string_view run) const;
  // Which code made its result: of the latest attempt, and of those that it went on from, the newest first.
  std::vector<CodeBuild> builds(std::string_view run) const;
  // What the newest probe of its attention found; nothing when there was none, or the model has no attention.
  std::optional<PointerHealth> pointer_health(std::string_view run) const;
  std::vector<DatasetRow> datasets() const;
  // Those about runs of these sweeps (and about places, of no run yet); empty: all. In the order they were made.
  std::vector<PredictionRow> predictions(const std::vector<std::string>& sweeps = {}) const;
  // Changes with every committed write of any process.
  int64_t data_version() const;

  // Any read-only statement. See sql.h.
  SqlResult sql(std::string_view statement, const SqlLimits& limits = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitsweep::query
