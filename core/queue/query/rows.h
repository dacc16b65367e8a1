// What the database says of runs, sweeps, attempts and data sets, as plain values.
//
// A number that the run has not produced (or that was not finite) is empty, never NaN.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/metric_kind.h"
#include "base/run_state.h"
#include "store/sweep_settings.h"

namespace bitsweep::query {

// One row of the view `runs`, with what lies beside it.
struct RunRow {
  std::string id;
  std::string sweep;       // the sweep asked for, else the first one that holds the run
  RunState state = RunState::queued;
  std::string exit_cause;  // "" while it has none
  std::string message;     // the worker's last words when it failed
  std::string plugin;
  json::object axes;  // what varies in the sweep: {"train.lr": 6e-4}
  int64_t seed = 0;   // tells runs apart; what people read is seed_of() in run_columns.h
  // Of a run from elsewhere whose seed an int64 does not hold: its digits, or "null" where it was left out.
  std::string seed_digits;
  int64_t params = 0;  // models.md's count: embedding and head included
  int64_t params_nonembedding = 0;
  int64_t tokens = 0;  // of the whole run, as planned
  int64_t steps = 0;
  int64_t attempts = 0;
  std::optional<double> epochs;  // tokens / tokens of the training split
  std::optional<double> flops;   // of the whole run, as planned
  std::optional<double> best_val_bpc, last_val_bpc;
  std::optional<double> wall_s;           // training wall-clock of all attempts
  std::optional<double> tokens_per_s;
  std::optional<double> submitted, started, ended;  // unix seconds
  std::optional<int64_t> best_step;
  int64_t step = 0;          // reached
  int64_t params_extra = 0;  // trained beside the weights: biases, thresholds, scales
  std::optional<int64_t> peak_rss_bytes;
  std::string dataset;  // id of its DatasetRow; "" when its data were never opened
  json::object spec;    // the resolved spec; only filled by Query::run and Query::runs_of
  // Of its place in the queue, of which store::QueueEntry tells all.
  int64_t priority = 0, faults = 0;
  std::string device = "any";  // any | cpu | cuda | cuda:N
  // Newest values of metrics: those that sum up tasks (base/task_metrics.h), by Query::runs_of with how many questions
  // they are of, and whatever Query::add_metrics was asked.
  std::map<std::string, double, std::less<>> metrics;
  // What the questions of each task were, as the run said at its start: a digest by the task's name. Query::runs_of.
  std::map<std::string, std::string, std::less<>> questions = {};
  // Where another metric stands in the place of the loss (analysis/other_loss.h): how it is to be read.
  std::optional<MetricKind> loss = {};
};

// One row of the view `evals`: the latest attempt's value of a step.
struct EvalRow {
  int64_t step = 0;
  int64_t tokens = 0;
  std::optional<double> val_bpc, train_bpc, lr, grad_norm, tokens_per_s;
};

// What the newest evaluation of a run said of its validation windows (core/queue/event/README.md).
struct WindowLosses {
  std::optional<double> standard_error;  // of val_bpc
  std::vector<double> blocks;  // bits per byte of each window, or of each run of neighbours; their mean is val_bpc
};

// One row of the view `metrics`.
struct MetricRow {
  int64_t step = 0;
  std::string name;
  std::optional<double> value;  // nothing when it was not finite
};

// One row of the view `attempts`.
struct AttemptRow {
  int64_t attempt = 0;
  std::string state, exit_cause, message, device;
  std::optional<int64_t> exit_code, signal;
  std::optional<double> started, ended;
  int64_t step = 0;                     // reached
  std::optional<int64_t> resumed_step;  // where it took up an earlier attempt
  std::optional<int64_t> peak_rss_bytes;
};

// Count models on exactly the bytes that runs of this context and so many validation windows are scored on. A row of
// the view `yardsticks`.
struct YardstickRow {
  int64_t context = 0, windows = 0;
  int64_t bytes = 0;              // scored
  std::vector<double> ngram_bpb;  // index is the order of the count model
  bool of_any_context() const { return context == 0; }  // of so many bytes of text (eval.bytes), not windows
};

// A corpus under one tokenizer and split, as it was opened, with its yardsticks. A row of the view `datasets`.
struct DatasetRow {
  std::string id;    // names corpus, tokenizer and split together
  std::string name;  // a built-in corpus's, or a file's
  std::string tokenizer;
  std::string sha256, val_sha256;  // content of the corpus, of its validation part
  int64_t bytes = 0, train_tokens = 0, val_tokens = 0;
  int64_t unknown_bytes = 0;          // outside the tokenizer's vocabulary
  std::vector<double> ngram_bpb;  // bits per byte of the whole validation part; index is the order of the count model
  std::optional<double> entropy_bpb;     // of the source, where it is known
  std::vector<YardstickRow> yardsticks;  // of the bytes that runs on it were scored on
};

struct SweepRow {
  std::string name, file;
  std::optional<double> submitted;  // unix seconds, its newest version
  store::SweepSettings settings;
  int64_t runs = 0;
};

}  // namespace bitsweep::query
