// What the database says of runs, sweeps, attempts and data sets, as plain values.
//
// A number that the run has not produced (or that was not finite) is empty, never NaN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace bitsweep {

// One row of the view `runs`.
struct RunRow {
  std::string id;
  std::string sweep;       // the sweep asked for, else the first one that holds the run
  std::string state;       // queued | starting | running | done | failed | stopped | cancelled
  std::string exit_cause;  // "" while it has none
  std::string message;     // the worker's last words when it failed
  std::string plugin;
  json::object axes;       // what varies in the sweep: {"train.lr": 6e-4}
  int64_t seed = 0;
  int64_t params = 0;               // models.md's count: embedding and head included
  int64_t params_nonembedding = 0;
  int64_t tokens = 0;               // of the whole run, as planned
  int64_t steps = 0;
  int64_t attempts = 0;
  std::optional<double> epochs;     // tokens / tokens of the training split
  std::optional<double> flops;      // of the whole run, as planned
  std::optional<double> best_val_bpc, last_val_bpc;
  std::optional<double> wall_s;     // training wall-clock of all attempts
  std::optional<double> tokens_per_s;
  std::optional<double> submitted, started, ended;  // unix seconds
  std::string dataset;              // key of its DatasetRow; "" when its data were never opened
  json::object spec;                // the resolved spec; only filled by Query::run and Query::runs_of
};

// One row of the view `evals`: the latest attempt's value of a step.
struct EvalRow {
  int64_t step = 0;
  int64_t tokens = 0;
  std::optional<double> val_bpc, train_bpc, lr, grad_norm, tokens_per_s;
};

// One row of the view `attempts`.
struct AttemptRow {
  int64_t attempt = 0;
  std::string state, exit_cause, device;
  std::optional<double> started, ended;
};

// A corpus under one tokenizer and split, as it was opened, with its yardsticks.
struct DatasetRow {
  std::string key;
  std::string corpus, tokenizer;
  std::string corpus_sha256, val_sha256;
  int64_t train_tokens = 0, val_tokens = 0;
  int64_t unknown_bytes = 0;             // outside the tokenizer's vocabulary
  std::vector<double> ngram_bpc;         // of the validation set; index is the order of the count model
};

struct SweepRow {
  std::string name, file;
  std::optional<double> submitted;
  json::object report;  // {"laws": […], "targets": [{"params", "tokens"}]} of the sweep file
  int64_t runs = 0;
};

}  // namespace bitsweep
