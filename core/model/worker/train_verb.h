// `bitsweep-worker train`: one run, from its spec to its `end` event.
#pragma once

#include <atomic>

#include "worker/arguments.h"

namespace bitsweep::worker {

// Returns the exit code (worker/exit_code.h, base's ErrorKind). Whatever happens is told by an `end` event in
// OUT/events.jsonl, if that can be written, and by one message on stderr; nothing is thrown. `stop`, set by a signal
// handler, ends the run after the step at hand with a checkpoint.
//
// Events: start {params, params_extra, device, threads, build_id, plugin, plugin_version, plugin_build,
// nn_build, precision, val_windows, val_sha256, train_tokens_available}, then those of train/trainer.h, then end
// {status, message?, last_finite_step?}.
int train_verb(const TrainArguments& arguments, const std::atomic<bool>& stop);

}  // namespace bitsweep::worker
