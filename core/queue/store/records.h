// What goes into the store and comes out of it, as plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/run_state.h"
#include "event/event.h"
#include "spec/renewal.h"

namespace bitsweep::store {

// What a run asks of the machine.
struct RunResources {
  std::string device = "any";  // any | cpu | cuda | cuda:N
  int64_t slots = 1;
  int64_t threads = 0;       // of a CPU slot; 0: the slot's share of the cores
  int64_t memory_bytes = 0;  // 0: unknown
  double timeout_s = 0;      // 0: none
};

// A run as the planner resolved it.
struct NewRun {
  std::string id;     // 12 hex digits
  json::object spec;  // to_json(RunSpec): what the worker gets
  json::object axes;  // what varies in the sweep
  std::string plugin;
  int64_t seed = 0;
  int64_t params = 0;
  int64_t params_extra = 0;  // not weights: thresholds, per-symbol biases …
  int64_t params_nonembedding = 0;
  int64_t tokens = 0;
  int64_t steps = 0;
  double flops = 0;
  double epochs = 0;
  std::string dataset;    // DatasetRecord::id, "" when unknown
  std::string init_from;  // id of the run it finetunes; it waits for that one
  RunResources resources;
  int64_t retries = 2;   // attempts after a fault
  int64_t priority = 0;  // higher first
};

// A run that was trained elsewhere, as its log tells it.
struct ImportedRun {
  NewRun run;                       // flops and epochs are not looked at
  std::vector<event::Event> events;  // of its only attempt, numbered from 1
  RunState state = RunState::done;  // done | stopped
  std::string message;
  double started = 0, ended = 0;  // unix seconds
};

// One version of a sweep file.
struct NewSweep {
  std::string name;
  std::string file;    // where it came from, for people
  std::string source;  // the file's text
  // What concerns the sweep as a whole: {"stop_after": N or null, "stop_rule": "none",
  // "report": {"laws": [...], "targets": [{"params", "tokens"}]}}.
  json::object settings;
  std::vector<NewRun> runs;
};

// What a submission changed, compared with the sweep's previous version. A run is named by its resolved spec, so a
// point of the design (its axes and seed) whose spec changed is a new run in the place of an old one.
struct SubmitResult {
  struct Changed {
    std::string before, after;  // run ids at the same axes and seed
  };
  // A run that is known, submitted with other values of keys that name no run (spec/renewal.h).
  struct Renewed {
    std::string run;
    RunState state;
    spec::Renewal change;  // what it took over; while it is live, what it would have taken
  };
  std::vector<std::string> added;
  std::vector<std::string> already;
  std::vector<Changed> changed;
  std::vector<std::string> gone;
  std::vector<Renewed> renewed;
  // Of all runs of this version, the ones already done (perhaps through another sweep).
  int64_t done = 0;
};

struct RunRecord {
  std::string id;
  std::string sweep;  // the first sweep that holds it
  RunState state = RunState::queued;
  ExitCause cause = ExitCause::none;
  std::string message;
  std::string plugin;
  json::object spec, axes;
  int64_t seed = 0, params = 0, tokens = 0, steps = 0;
  double flops = 0;
  std::string init_from;
  RunResources resources;
  int64_t retries = 0, priority = 0;
  bool paused = false;
  std::string request;    // "" | "cancel" | "stop": asked of the coordinator while the run is live
  double not_before = 0;  // unix seconds: back-off
  int64_t position = 0;   // order of submission
  int64_t attempts = 0;   // made so far
  int64_t faults = 0;     // of those, counted against `retries`
  int64_t step = 0;       // reached
  std::optional<double> best_val_bpc, last_val_bpc, tokens_per_s;
  double wall_s = 0;
};

// What the scheduler needs to know of a queued run, and no more: a hundred thousand of these are read at once.
struct QueueEntry {
  std::string id;
  std::string sweep;  // the first sweep that holds it
  std::string plugin;
  int64_t priority = 0, position = 0;
  std::string device;
  int64_t slots = 1, threads = 0, memory_bytes = 0;
  bool ran_out_of_memory = false;  // in an earlier attempt
  double flops = 0;
  double not_before = 0;
  bool paused = false;
  std::string init_from;                    // "" for none
  std::optional<RunState> init_from_state;  // nothing when that run is unknown
};

struct AttemptRecord {
  std::string run;
  int64_t attempt = 0;
  RunState state = RunState::starting;
  ExitCause cause = ExitCause::none;
  std::string message;
  std::string device;
  int64_t slots = 1, threads = 1;
  std::optional<int64_t> exit_code, signal;
  std::optional<double> started, ended;
  uint64_t events_offset = 0;  // bytes of events.jsonl that are in the database
  uint64_t events_file = 0;    // identity of that file (its inode)
};

// How an attempt ended; written once.
struct AttemptEnd {
  RunState state = RunState::failed;  // done | failed | stopped | cancelled
  ExitCause cause = ExitCause::none;
  std::string message;
  std::optional<int64_t> exit_code, signal, peak_rss_bytes;
  double ended = 0;
};

// The context of yardsticks on stretches of text (eval.bytes), which are the same in every context.
inline constexpr int64_t kAnyContext = 0;

// Count models on exactly the bytes that runs of a data set, a context and so many validation windows are scored on.
struct YardstickRecord {
  int64_t context = 0, windows = 0;  // with the data set its key; windows: eval.windows, or eval.bytes with kAnyContext
  int64_t bytes = 0;                 // scored
  json::array ngram_bpb;             // order 0…3: bits per byte of them
};

struct DatasetRecord {
  std::string id;    // key: SHA-256 over corpus, tokenizer and split
  std::string name;  // corpus as people know it: headers, stories, a file's name
  std::string tokenizer;
  std::string sha256;  // content of the corpus
  int64_t bytes = 0, train_tokens = 0, val_tokens = 0;
  std::string val_sha256;
  int64_t unknown_bytes = 0;
  json::array ngram_bpb;              // order 0…3: bits per byte of the whole validation set
  std::optional<double> entropy_bpb;  // where the source's entropy rate is known
};

// How fast training was: of a run that is done, or measured for the purpose.
struct SpeedRecord {
  json::object spec;   // of the run
  std::string device;  // cpu or cuda:N
  int64_t threads = 0;
  double flops_per_token = 0;  // of training
  double tokens_per_s = 0;     // of training steps alone
};

// A fit that a report kept: the runs of its points as a JSON list, and its result as `fit --json` has it.
struct ReportedFit {
  std::string points;
  json::object result;
};

struct FitRecord {
  std::string sweep;  // or the sweeps, joined by a comma
  std::string law;
  std::string variant, dataset;     // of whom the points are; dataset: DatasetRecord::id
  std::string data;                 // hash of the points (fit/data_hash.h)
  std::vector<std::string> points;  // ids of the points' runs
  std::string version;              // of the program
  json::object settings, result;
};

struct PredictionRecord {
  std::optional<int64_t> fit;  // id of the stored fit it comes from
  std::string run;             // the run it is about; "" for a place where no run is known yet
  std::string law;
  std::string maker;    // the verb that stores it
  std::string version;  // of the program
  std::string data;     // hash of the points it was made from
  std::string variant, dataset;
  double params = 0, tokens = 0, loss = 0;
  std::optional<double> lower, upper;  // for the loss of one run
  double level = 0.95;                 // of the interval
  double extrapolation = 1;            // how far outside of the points, as a factor
};

// What became of predictions that were to be stored.
struct StoredPredictions {
  int64_t stored = 0;
  int64_t repeated = 0;            // of a fit that has spoken of the run before
  std::vector<std::string> begun;  // ids of runs that had begun: nothing is stored of those
};

}  // namespace bitsweep::store
