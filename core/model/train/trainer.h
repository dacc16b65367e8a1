// One run from its first step (or its checkpoint) to its end: steps, evaluations, checkpoints, and the events that tell
// of them. The loop only decides when; what happens is in stepper, evaluate and checkpoint.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/notes.h"
#include "data/dataset.h"
#include "event/event.h"
#include "nn/model.h"
#include "spec/run_spec.h"
#include "train/task_answers.h"

namespace bitsweep::train {

// A text beside the run's own that every evaluation scores.
struct AlsoScored {
  std::string metric;  // "fineweb.bpc"
  data::ValidationWindows windows;
};

struct TrainJob {
  spec::RunSpec spec;
  std::string run;          // id
  fs::path attempt_folder;  // checkpoints go to its checkpoints/
  c10::Device device = c10::Device(c10::kCPU);
  std::vector<fs::path> resume;  // checkpoints of this run, newest first
  TaskSet tasks = {};            // asked at evaluations
  std::vector<AlsoScored> also = {};
  fs::path init;  // checkpoint to take the parameters from when none of `resume` holds; empty: fresh ones
  const std::atomic<bool>* stop = nullptr;  // set from outside: finish the step, checkpoint, return
};

enum class TrainStatus { done, diverged, stopped };

struct TrainOutcome {
  TrainStatus status = TrainStatus::done;
  int64_t step = 0;  // steps done
  std::string message;
  std::optional<int64_t> last_finite_step;  // diverged: steps done before the loss was not finite
};

// Trains `model`, which lies on the CPU as create() made it. Writes the events checkpoint_refused, resume, eval and
// checkpoint (not start and end), and tells `log` of each. Throws Error: input for a spec that does not
// fit the model or the data (freeze patterns, init checkpoint, batch), environment when the disk refuses, failed when
// the model misbehaves.
//
// Events: `eval` at every multiple of eval.every and at the last step, then `checkpoint` for each file written: last at
// every multiple of checkpoint.every, at the end and when stopped; best after each evaluation that improves
// checkpoint.best. A checkpoint's path is relative to the attempt's folder. A run whose checkpoint.keep_last is off
// still writes last when it is stopped.
TrainOutcome train(const TrainJob& job, nn::Model& model, const data::Dataset& dataset, event::EventWriter& events,
                   Notes& log);

}  // namespace bitsweep::train
