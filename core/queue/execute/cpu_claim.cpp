#include "execute/cpu_claim.h"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>

#include <fmt/format.h>

namespace bitsweep::execute {
namespace {

// One that exists is only opened: in a folder for everybody the system lets none but its owner create it again.
Fd open_claim(const fs::path& file) {
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) fd = Fd(::open(file.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0444));
  return fd;
}

}  // namespace

std::vector<int> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

CpuClaim claim_cpus(int64_t count, const fs::path& folder) {
  const std::vector<int> usable = usable_cpus();
  CpuClaim claim;
  if (count < 1 || static_cast<size_t>(count) > usable.size()) return claim;
  for (const int cpu : usable) {
    Fd lock = open_claim(folder / fmt::format("bitsweep-cpu-{}", cpu));
    if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    claim.cpus.push_back(cpu);
    claim.locks.push_back(std::move(lock));
    if (static_cast<int64_t>(claim.cpus.size()) == count) return claim;
  }
  return {};
}

void run_on(int pid, std::span<const int> cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus)
    if (cpu >= 0 && cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  ::sched_setaffinity(pid, sizeof set, &set);
}

}  // namespace bitsweep::execute
