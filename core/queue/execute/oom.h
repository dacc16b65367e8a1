// Evidence that the kernel killed something for want of memory: its own counters, before and after.
#pragma once

#include <cstdint>
#include <string_view>

namespace bitsweep::execute {

struct OomCounters {
  int64_t cgroup = 0;  // kills in this process's control group (v2 memory.events, v1 memory.oom_control)
  int64_t system = 0;  // kills on the whole machine (/proc/vmstat)
};

OomCounters read_oom_counters();

// A process that ended by KILL was killed for memory if a counter moved meanwhile. The machine's counter is taken as
// evidence too, because a limit may lie in a group that this process cannot see; it may blame memory wrongly when
// another process was the one killed, which costs no more than the wording of a retry.
inline bool killed_for_memory(int signal, const OomCounters& before, const OomCounters& after) {
  return signal == 9 && (after.cgroup > before.cgroup || after.system > before.system);
}

// The number after "KEY " at the start of a line of `text`; 0 when there is none.
int64_t counter_in(std::string_view text, std::string_view key);

}  // namespace bitsweep::execute
