// The shim: a small process between the coordinator and one worker, which outlives the coordinator.
//
// It inherits the locked descriptor of the run's lock file, so that the lock never is without an owner while anything
// of the attempt lives; the worker inherits it too, so that the lock is free only when nothing lives any more. It
// starts the worker as intent.json says, waits for it, ends what the worker left behind, and durably writes how it
// ended.
#pragma once

#include "base/files.h"

namespace bitsweep {

// The whole life of a shim; the hidden verb `shim` of bitsweep is this and nothing else. REQUIRES: one thread, and
// `lock_fd` inherited and locked. Returns the process's exit code: 0 when the record was written.
int run_shim(const fs::path& attempt_folder, int lock_fd);

}  // namespace bitsweep
