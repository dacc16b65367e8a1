#include "execute/oom.h"

#include <charconv>
#include <sstream>
#include <string>

#include "base/files.h"

namespace bitsweep::execute {
namespace {

// A line of /proc/self/cgroup is "ID:CONTROLLERS:PATH"; version 2 has ID 0 and no controllers.
int64_t cgroup_kills() {
  std::istringstream lines(read_if_there("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) return counter_in(read_if_there("/sys/fs/cgroup" + path + "/memory.events"), "oom_kill");
    if (("," + controllers + ",").find(",memory,") != std::string::npos)
      return counter_in(read_if_there("/sys/fs/cgroup/memory" + path + "/memory.oom_control"), "oom_kill");
  }
  return 0;
}

}  // namespace

int64_t counter_in(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.size() <= key.size() || line.substr(0, key.size()) != key || line[key.size()] != ' ') continue;
    int64_t value = 0;
    std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
    return value;
  }
  return 0;
}

OomCounters read_oom_counters() {
  return {.cgroup = cgroup_kills(), .system = counter_in(read_if_there("/proc/vmstat"), "oom_kill")};
}

}  // namespace bitsweep::execute
