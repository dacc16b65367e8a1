// The queue and the record of every run: ROOT/bitsweep.db, reached by one object a process and thread.
//
// Every method is one durable transaction (WAL, synchronous FULL) and either happens wholly or not at all; a caller
// that wraps several in `Transaction(store.database())` gets one commit for all of them. State changes are
// compare-and-set: they say whether they happened, and a terminal state never changes except through retry().
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/code_build.h"
#include "base/metric_kind.h"
#include "event/event.h"
#include "store/database.h"
#include "store/records.h"

namespace bitsweep::store {

// Where everything of one root lies.
struct RootPaths {
  fs::path root;
  fs::path database() const { return root / "bitsweep.db"; }
  fs::path coordinator_lock() const { return root / "coord.lock"; }
  fs::path cache() const { return root / "data"; }
  fs::path runs() const { return root / "runs"; }
  fs::path history() const { return runs() / "history.jsonl"; }
  fs::path run(std::string_view id) const { return runs() / id; }
  fs::path attempt(std::string_view id, int64_t attempt) const {
    return run(id) / ("attempt-" + std::to_string(attempt));
  }
};

using StoreMode = Database::Mode;
class History;

class Store {
 public:
  // create: makes folder and database, migrates an older one, and keeps the history file in step (history.h).
  // read_only: never creates; throws Error{environment} when there is none. Both refuse what schema.h and database.h
  // refuse, and a root without a database whose history tells of runs: that is for `rebuild`.
  Store(const fs::path& root, StoreMode mode, Clock& clock = system_clock());
  static Store open(const fs::path& root, StoreMode mode) { return Store(root, mode); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();
  static bool exists(const fs::path& root);

  Database& database() { return database_; }
  const RootPaths& paths() const { return paths_; }

  // --- submission -----------------------------------------------------------------------------------------------
  // Idempotent: the same sweep twice adds nothing. Runs that left the sweep and belong to no other are cancelled
  // (cause withdrawn) while they are still queued; a run that comes back is queued again. A known run that is not live
  // takes over what names no run (spec/renewal.h); one that is done, paths alone.
  SubmitResult submit(const NewSweep& sweep);
  // What submit() would answer; changes nothing. Works on a read-only store.
  SubmitResult compare(const NewSweep& sweep);

  // Runs from elsewhere, with their files, in a sweep of their own: what it held before stays, but for runs whose place
  // (axes and seed) another one takes. A run that is known is left as it is. Throws Error{input} when the sweep was
  // submitted. compare_import() answers the same and changes nothing.
  SubmitResult import_runs(std::string_view sweep, std::string_view file, std::span<const ImportedRun> runs);
  SubmitResult compare_import(std::string_view sweep, std::span<const ImportedRun> runs);

  void put_dataset(const DatasetRecord& dataset);
  std::optional<DatasetRecord> dataset(std::string_view id);
  void put_yardsticks(std::string_view dataset, const YardstickRecord& yardsticks);
  bool has_yardsticks(std::string_view dataset, int64_t context, int64_t windows);

  // --- reading --------------------------------------------------------------------------------------------------
  std::optional<RunRecord> run(std::string_view id);
  std::optional<RunState> state(std::string_view id);
  // The one run whose id begins so. Throws Error{input} when none or several do.
  std::string resolve_run(std::string_view prefix);
  // In the order they should be considered: priority, then submission. Empty `sweeps`: all.
  // `most`: only the first; -1 all.
  std::vector<QueueEntry> queue(std::span<const std::string> sweeps = {}, int64_t most = -1);
  // Runs by state, of these sweeps or of all; states without runs are left out.
  std::map<RunState, int64_t> counts(std::span<const std::string> sweeps = {});
  // Attempts that are starting or running, as far as the database knows.
  std::vector<AttemptRecord> live_attempts();
  std::vector<AttemptRecord> attempts(std::string_view run);
  std::optional<AttemptRecord> attempt(std::string_view run, int64_t attempt);
  // Current runs of a sweep, in the file's order. Throws Error{input} for an unknown sweep.
  std::vector<RunRecord> runs_of(std::string_view sweep);
  std::vector<std::string> sweep_names();
  // The text of the file that the sweep was last submitted with; "" for one that is not there.
  std::string sweep_source(std::string_view name);
  int64_t run_count();
  std::optional<json::object> sweep_settings(std::string_view sweep);
  // Live runs that someone asked to give up.
  std::vector<std::string> asked_to_cancel();
  // Changes with every committed write of another process or connection; a cheap way to see that something is new.
  int64_t data_version();

  // --- state machine --------------------------------------------------------------------------------------------
  // queued -> starting, with a new attempt numbered at least `least_number`. Nothing when the run is not queued.
  std::optional<int64_t> claim(std::string_view run, std::string_view device, int64_t slots, int64_t threads,
                               int64_t least_number = 1);
  // starting -> running.
  bool mark_running(std::string_view run, int64_t attempt, int64_t pid);
  // Ends the attempt, and the run in the state of the attempt. False when that attempt had already ended.
  bool finish(std::string_view run, int64_t attempt, const AttemptEnd& end);
  // Ends the attempt, and puts the run back into the queue; `fault` counts it against the run's retries.
  bool requeue(std::string_view run, int64_t attempt, const AttemptEnd& end, bool fault, double not_before);
  // queued -> cancelled at once; a live run gets the request, which the coordinator carries out. False: terminal.
  bool cancel(std::string_view run);
  // failed | stopped | cancelled -> queued with its faults forgotten; the next attempt resumes from the last
  // checkpoint. False for any other state, and for a run that was imported.
  bool retry(std::string_view run);
  // done -> queued, to be made anew by other code: the next attempt begins at step 0, and its losses take the place of
  // the earlier one's in `evals` and the run's summary as soon as it has begun; events and files of both stay. False
  // for any other state, and for a run that was imported.
  bool make_anew(std::string_view run);
  // The last attempt before this one that was done; 0: none. What comes after it takes nothing up from it.
  int64_t last_finished(std::string_view run, int64_t before);
  bool set_paused(std::string_view run, bool paused);
  bool set_priority(std::string_view run, int64_t priority);

  // --- ingest ---------------------------------------------------------------------------------------------------
  // What a tail found: events of one attempt, and up to where its file has been read with them.
  struct Batch {
    std::string run;
    int64_t attempt = 0;
    std::span<const event::Event> events;
    uint64_t next_offset = 0;
    uint64_t file = 0;  // identity of the file read
  };
  struct Ingested {
    int64_t stored = 0;    // new rows
    int64_t repeated = 0;  // seen before
    int64_t foreign = 0;   // of another run or attempt; not stored
  };
  // All batches in one commit: events, evals, metrics, summaries and the offsets. May be repeated with any overlap.
  Ingested ingest(std::span<const Batch> batches);
  // The status of the attempt's last "end" event, and its message; nothing when it wrote none.
  struct EndEvent {
    std::string status, message;
    int64_t step = 0;
  };
  std::optional<EndEvent> end_event(std::string_view run, int64_t attempt);
  // Which code the latest attempt said it ran; "" for what it did not say.
  CodeBuild latest_build(std::string_view run);

  // --- metrics --------------------------------------------------------------------------------------------------
  // Numbers of one step of a run that no event told: of a checkpoint that was looked at later. They take the place of
  // those of the same names that came from this attempt or an earlier one. Throws Error{input} for an unknown run.
  void put_metrics(std::string_view run, int64_t attempt, int64_t step,
                   std::span<const std::pair<std::string, double>> metrics);
  // How such numbers are to be read, as somebody said at `told` (unix seconds); of what was said of a name the newest
  // counts. What a start event lists as its `metrics` comes in with that event.
  void put_metric_kinds(std::span<const MetricKind> kinds, double told);
  // What was told, over what is known of every worker.
  MetricKinds metric_kinds();

  // --- speeds ---------------------------------------------------------------------------------------------------
  // Takes the place of an earlier one of the same spec, device and threads.
  void put_speed(const SpeedRecord& speed);
  // Those that were put, and one of each run that is done.
  std::vector<SpeedRecord> speeds();

  // --- laws -----------------------------------------------------------------------------------------------------
  // The id of the stored fit; that of an earlier one of the same points, settings and program, if there is one.
  int64_t put_fit(const FitRecord& fit);
  // The newest fit that a report of these sweeps ("a,b") kept of this law, variant and dataset, from other points than
  // those of the hash `data`.
  std::optional<ReportedFit> last_reported_fit(std::string_view sweeps, std::string_view law, std::string_view variant,
                                               std::string_view dataset, std::string_view data);
  // Throws Error{refused} when the run it is about has begun: a prediction is worth something only beforehand.
  int64_t put_prediction(const PredictionRecord& prediction);
  // Of many runs at once: those that have begun are left out and named.
  StoredPredictions put_predictions(std::span<const PredictionRecord> predictions);

 private:
  class Numbers;
  struct Digest;

  // The prepared form of a statement's text, made once; `text` lives as long as the program. One use at a time.
  Statement& sql(const char* text);
  std::map<std::string, std::string> previous_version(std::string_view sweep);  // run id -> point
  SubmitResult compare_with(const std::map<std::string, std::string>& before, const NewSweep& sweep);
  std::optional<SubmitResult::Renewed> renewal_of(const NewRun& run);
  bool was_asked(const std::string& run, const std::string& task);
  void renew(const SubmitResult::Renewed& renewed);
  void put_run(const NewRun& run, int64_t sweep, int64_t order);
  void withdraw(const std::string& run, int64_t sweep);
  void check_import_sweep(std::string_view sweep);
  void put_imported(const ImportedRun& imported);
  bool has_begun(const std::string& run);
  bool insert_prediction(const PredictionRecord& prediction);
  void set_aside_finished(const event::Event& start);
  bool is_set_aside(std::string_view run, int64_t attempt);
  bool end_attempt(std::string_view run, int64_t attempt, const AttemptEnd& end);
  void ingest_batch(const Batch& batch, Ingested& count);
  bool put_eval(const event::Event& event, const Numbers& numbers);
  void put_metric(std::string_view run, std::string_view name, int64_t step, int64_t attempt,
                  std::optional<double> value);
  bool put_metric_kind(const MetricKind& kind, double told);
  void take_metric_kinds(const event::Event& start);
  void update_summaries(const Batch& batch, const Digest& digest);

  RootPaths paths_;
  Clock& clock_;
  Database database_;
  std::unique_ptr<History> history_;  // of a store that writes
  std::unordered_map<const char*, Statement> statements_;
};

}  // namespace bitsweep::store
