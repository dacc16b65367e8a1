// Processors for an attempt of its own: each is a locked file that the attempt's shim holds, as it does the run's lock.
// No two attempts of this machine are put on one processor, whoever's and of whatever root they are, and none stays
// taken when its attempt is gone. Containers that share processors but not /dev/shm do not see each other's claims.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/files.h"

namespace bitsweep::execute {

struct CpuClaim {
  std::vector<int> cpus;  // empty: the attempt goes wherever the system puts it
  std::vector<Fd> locks;  // one for each; to be held by the shim
};

// `count` of the processors that this process may use and nobody has claimed, the lowest first. With fewer than that
// free the claim is empty: half of them would be worse than none. `folder` holds the locks; where it cannot be used
// nothing is claimed. Never throws.
CpuClaim claim_cpus(int64_t count, const fs::path& folder = "/dev/shm");

// Those this process may use.
std::vector<int> usable_cpus();

// A process (0: this one), and what it will start, runs on these alone. Async-signal-safe. An empty list changes
// nothing.
void run_on(int pid, std::span<const int> cpus);

}  // namespace bitsweep::execute
