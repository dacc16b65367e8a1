// What the runs of a sweep will cost, before anything runs: expanded specs in, resolved specs with ids and exact counts
// out. Pure: models are described and data sets probed through the two interfaces below.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/code_build.h"
#include "plugin/describe.h"
#include "spec/sweep.h"

namespace bitsweep::plan {

struct DescribeQuestion {
  std::string plugin;  // name, or absolute path of a .so
  plugin::DescribeRequest request;
  std::vector<std::string> freeze = {};  // train.freeze, to be held against the model's parameters
};

struct DescribeAnswer {
  std::optional<plugin::Description> description;
  std::string error;          // when there is no description
  int64_t process_bytes = 0;  // resident in a worker that has loaded LibTorch and the plugin; 0: not known
  std::string freeze_error = {};  // what is wrong with `freeze`, a line each; of a model too large to look, nothing
};

// Asks plugins what a model would be. One answer a question, in order. Throws Error{environment} when nobody can be
// asked.
class Describer {
 public:
  virtual ~Describer() = default;
  virtual std::vector<DescribeAnswer> describe(const std::vector<DescribeQuestion>& questions) = 0;
};

// What is wrong with a data set, and which key of the sweep says so.
struct DataProblem {
  std::string key;  // data.corpus (data.examples too), data.tokenizer or data.val
  std::string message;
};

struct DatasetFacts {
  std::string sha256;  // content of the corpus and of val
  int64_t bytes = 0;
  int64_t train_tokens = 0;
  int64_t val_tokens = 0;
  int64_t vocab = 0;
  // Of tokens that are no bytes: as in DataSpec; bytes of text a token; and whether they are not encoded yet, so that
  // their counts are estimates (0: not even that).
  std::string tokenizer_sha256, documents, documents_sha256;
  double bytes_per_token = 1;
  bool estimated = false;
  double store_bytes = 0, store_seconds = 0;  // of what is to be encoded: on disk, and on one core
  std::vector<std::string> notes;             // e.g. how many bytes are outside the vocabulary
  std::vector<DataProblem> problems = {};     // where there are any, nothing else is said
  // Of text to validate on: of each part of a mixture that is split, else of all; none where nobody knows a text.
  std::vector<int64_t> val_bytes = {};
};

// Opens a data set.
class DatasetProbe {
 public:
  virtual ~DatasetProbe() = default;
  virtual DatasetFacts probe(const spec::DataSpec& data) = 0;
  // A text that runs on `own` (as far as it is resolved) are scored on beside, in their tokens and context. The keys of
  // problems are those that it would have as data of its own.
  virtual DatasetFacts probe_beside(const spec::DataSpec& own, const spec::AlsoSpec& text) = 0;
};

// How long a run takes on one slot of this machine (plan/speed.h).
struct TimeEstimate {
  double seconds = 0;
  bool measured = false;  // of this very shape and batch; else scaled by FLOPs from another of the same plugin
};

// What a run takes on the device that trains it, and elsewhere.
struct RunMemory {
  plugin::MemoryNeed tensors;
  int64_t process_bytes = 0;  // of the worker before it has a model
  int64_t data_bytes = 0;     // of the texts, mapped: the system takes them back when it must
  int64_t total_bytes() const { return tensors.peak + process_bytes; }
};

// Which code made a finished run, and which would make it now.
struct OtherBuild {
  CodeBuild made, now;
  std::string text() const { return build_change(made, now); }  // "plugin 1a2b3c4d, now 5e6f7a8b"
};
json::object to_json(const OtherBuild& build);  // {"plugin": {"made", "now"}, "libbitsweep_nn": {…}}: what differs

struct PlannedRun {
  spec::RunSpec spec;  // resolved: options of the description, steps, sha256 of the data
  std::string id;      // run_id(spec)
  json::object axes;
  plugin::Description model;
  double tokens = 0;
  double epochs = 0;  // tokens over the training split's; 0: not known yet
  double flops = 0;   // of training
  double flops_6nd = 0;
  std::string state = "new";              // or the state the database knows
  std::optional<OtherBuild> other_build;  // of a run that is done: it was made by other code than is at hand
  std::optional<TimeEstimate> time;       // nothing until a speed was measured
  std::optional<RunMemory> memory;        // nothing when the plugin does not say
  YamlPlace init_place;                   // of train.init_from in the sweep

  int64_t checkpoints() const { return (spec.checkpoint.keep_last ? 1 : 0) + (spec.checkpoint.keep_best ? 1 : 0); }

  double training_flops_per_token() const { return model.flops_training_per_token(); }
};

struct PlanTotals {
  int64_t runs = 0;
  double tokens = 0;
  double flops = 0;
  int64_t done = 0;  // runs whose state is "done"
  // On one slot, of all runs and of those not done; nothing when one of them has no time.
  std::optional<double> seconds, seconds_left;
  // Of the largest run, and of all checkpoints that are kept; nothing when a plugin does not say.
  std::optional<int64_t> memory_bytes, checkpoint_bytes;
};

// What runs train on, and what they are scored on beside.
struct PlannedData {
  spec::DataSpec spec;  // resolved
  DatasetFacts facts;
  std::string beside;  // of a text of eval.also: its name
};

struct Plan {
  spec::Sweep sweep;               // without its runs
  std::vector<PlannedData> data;   // each kind of data once, then each text beside
  std::vector<PlannedRun> runs;    // no two with the same id
  std::vector<std::string> notes;  // the sweep's, then the plan's
  PlanTotals totals() const;
};

// Asks each distinct question once. Throws Error{input} with everything that is wrong with any run, naming the place in
// the sweep file and the point.
Plan make_plan(spec::Sweep sweep, Describer& describer, DatasetProbe& probe);

// A sentence for each group of runs that needs more than `available_bytes` of `device`, where `slots` runs share them.
std::vector<std::string> memory_notes(const Plan& plan, std::string_view device, int64_t available_bytes,
                                      int64_t slots);

// A sentence on what computes the runs' steps on a CPU, where that differs between them; else empty.
std::string path_note(const Plan& plan);

// The document of `plan --json`. hours are null until something has measured them, epochs until the text is encoded,
// bytes where the plugin says none. engine and engine_because are there where the plugin says what computes a step on a
// CPU (plugin/describe.h).
json::object plan_json(const Plan& plan);

}  // namespace bitsweep::plan
