// A sweep file to the runs it asks for: YAML and plugin manifests in, expanded run specs out. No effects beyond reading
// the sweep file and the files it extends.
//
// The way through, one file a step: layers.h (extends, --set) → keys.h (every key's type and range) → axes.h (grid,
// zip, cases, random) → points.h (derive, where, exclude, seeds) → sweep.cpp (queue and report options, assembly). The
// file's format: core/sweep/spec/README.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/yaml.h"
#include "plugin/manifest.h"
#include "spec/run_spec.h"

namespace bitsweep::spec {

// How long to train: exactly one of the three is set. `tokens` and `epochs` become steps when the plan knows the data.
struct Budget {
  std::optional<int64_t> steps;
  std::optional<double> tokens;
  std::optional<double> epochs;
};

struct ExpandedRun {
  RunSpec spec;  // model.options as given; train.steps only when the budget is in steps; data.sha256 empty
  json::object option_defaults;  // of options that came later and are not among those given (plugin/manifest.h)
  Budget budget;
  json::object axes;       // path -> value, for the paths that take more than one value in this sweep; without the seed
  YamlPlace place;         // what made the point: a case, or the sweep's name
  YamlPlace model_place;   // model.plugin
  YamlPlace corpus_place;  // data.corpus or data.examples
  YamlPlace tokenizer_place, val_place, also_place, tasks_place, init_place, freeze_place,
      gradients_place;     // those keys, where they are given
  YamlPlace budget_place;  // train.steps, train.tokens or train.epochs
};

// Where and how the runs of a sweep may run.
struct SweepResources {
  std::string device = "any";          // any | cpu | cuda | cuda:N
  int64_t slots = 1;                   // of a device
  std::optional<int64_t> threads;      // of a CPU slot
  std::optional<double> memory_bytes;  // nothing: as predicted
  std::optional<double> timeout_s;     // wall clock of a run
};

// What is given up early (core/queue/schedule/stopping.h).
struct SweepStop {
  std::string rule = "none";        // none | asha | median | curve
  std::string metric = "val_bpc";   // any that ranks runs
  int64_t grace = 0;                // steps before which nothing is stopped
  int64_t reduction = 3;            // of asha
  int64_t fewest = 4;               // peers, of median
  double probability = 0.95;        // of curve
  std::vector<std::string> within;  // axes that competing runs agree in
  double diverged = 2;              // times the uniform model's loss, above which a run has diverged; 0: none has
};

struct ScalingTarget {
  double params = 0;
  double tokens = 0;
};

struct ReportOptions {
  std::vector<std::string> laws;  // empty: the report's own choice
  std::vector<ScalingTarget> targets;
};

struct Sweep {
  std::string name;
  fs::path file;
  std::vector<fs::path> sources;   // the file and all it extends, this one first
  std::string text;                // canonical JSON of the merged file with --set applied: names the definition
  std::vector<std::string> notes;  // what a person should know, e.g. that two points are the same run
  std::vector<ExpandedRun> runs;
  SweepResources resources;
  int64_t retries = 2;   // for faults, never for bad input
  int64_t priority = 0;  // higher first
  std::string order = "longest";  // longest | shortest: which of its runs are started first
  SweepStop stop;
  std::vector<std::string> after;  // sweeps and runs that must have ended before any run of this one starts
  std::string on_oom = "fail";     // fail | alone | smaller_batch
  int64_t stop_after = 0;          // failed runs after which no more are started; 0: go on
  ReportOptions report;
};

struct SweepInput {
  fs::path file;
  std::vector<std::string> overrides;  // "PATH=VALUE", later ones win
  std::vector<plugin::Manifest> plugins;
};

constexpr size_t kMaxRuns = 100'000;

// Throws Error{input} with every mistake of the file (and of the files it extends). With `missing`, questions that are
// not there are said in it when nothing else is wrong, so that what else of the runs' files is wrong can be told too.
Sweep load_sweep(const SweepInput& input, std::vector<Diagnostic>* missing = nullptr);

// "model.params 5.5M, train.batch 64, seed 1": names a run of a sweep to a person.
std::string point_text(const json::object& axes, int64_t seed);
// "params 5.5M, batch 64, seed 1": the same in a row that names the plugin beside it, by the last word of each key
// where no other axis ends in it.
std::string short_point_text(const json::object& axes, int64_t seed);

// One value of it: "5.5M" for a size, "64", "v57".
std::string axis_text(std::string_view path, const json::value& value);

// Every key of a sweep file with its type, range and default, for help and for tests: "train.steps  integer from 1 …".
std::vector<std::string> sweep_keys();

}  // namespace bitsweep::spec
