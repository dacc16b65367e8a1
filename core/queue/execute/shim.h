// The shim: a small process between the coordinator and one worker, which outlives the coordinator.
//
// It inherits the locked descriptor of the run's lock file, so that the lock never is without an owner while anything
// of the attempt lives; the worker inherits it too, so that the lock is free only when nothing lives any more. It
// starts the worker as intent.json says, waits for it, ends what the worker left behind, and writes how it ended: first
// so that every process sees it, then, the lock being free already, to the disk itself.
//
// It is a fork of the coordinator that runs no other program, because loading one would take longer than all else that
// a short run costs: it closes every descriptor but the lock, and touches nothing that it shares with its parent.
#pragma once

#include <map>
#include <span>
#include <string>

#include <sys/types.h>

#include "base/files.h"

namespace bitsweep::execute {

struct Shim {
  pid_t pid = -1;  // the caller's child, to be reaped by it
  Fd ended;        // becomes readable (end of file) when the record is there and the lock is free, or the shim is dead
};

// `held` stay open in the shim and nowhere else: the locks of the attempt's processors.
// REQUIRES: one thread, and `lock_fd` locked; the caller closes its own copies. Throws Error{environment} when the
// system gives no process.
Shim spawn_shim(const fs::path& attempt_folder, int lock_fd, std::span<const Fd> held = {});

// A shim with a worker that has no run yet: `program` is started with the word "warm" in `environment`, loads what
// every run needs, and waits (event/order.h). It gets its run by give_run(), and goes away with its worker when this is
// destroyed, or its coordinator is. One whose worker does not understand, or died waiting, starts another for the run.
struct WarmShim {
  Shim shim;
  Fd orders;
};
WarmShim spawn_warm_shim(const std::string& program, const std::map<std::string, std::string>& environment);

// False: it is gone, and has taken nothing. REQUIRES: as spawn_shim; the intent names the same program and environment.
bool give_run(const WarmShim& warm, const fs::path& attempt_folder, int lock_fd, std::span<const Fd> held);

}  // namespace bitsweep::execute
