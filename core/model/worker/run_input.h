// What every verb that builds a run's model starts with.
#pragma once

#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "base/notes.h"
#include "data/dataset.h"
#include "plugin/loader.h"
#include "spec/run_spec.h"
#include "worker/arguments.h"

namespace bitsweep::worker {

// Standard output is the run's worker.log: a line is there as soon as it is said.
class WorkerLog : public Notes {
 public:
  void add(Kind kind, std::string text) override;
};

// A text beside the run's own that it is scored on (eval.also).
struct AlsoText {
  std::string metric;  // "fineweb.bpc"
  data::Dataset dataset;
};

struct RunInput {
  spec::RunSpec spec;
  c10::Device device;
  plugin::Plugin plugin;
  data::Dataset dataset;
  std::vector<AlsoText> also;
  plugin::Description description;
  plugin::OwnedModel model;  // on the CPU, with the initial weights of the spec's seed
};

// Reads the spec, sets LibTorch's threads, encodes the text where nobody did yet (telling `log`), and builds the model
// that the plugin describes for it. Throws Error{input} for a spec, text or options that are none, Error{environment}
// for a device that is not there, and Error{failed} when the plugin builds another number of parameters than it
// describes: plans, reports and fits go by what it says.
RunInput open_run(const RunArguments& arguments, Notes& log);

// A text beside the run's own, in its tokens and context. Throws Error{input} for a text that is none, and for a run
// that names no tokenizer.
data::Dataset open_beside(const spec::DataSpec& own, const spec::AlsoSpec& text, const RunArguments& arguments,
                          Notes& log);

}  // namespace bitsweep::worker
