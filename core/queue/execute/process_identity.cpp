#include "execute/process_identity.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/files.h"

namespace bitsweep::execute {
namespace {

// A whole decimal number.
std::optional<int64_t> pid_from(const std::string& name) {
  int64_t pid = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (code != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

bool has_open(int64_t pid, const struct stat& file) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), code)) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) == 0 && info.st_dev == file.st_dev && info.st_ino == file.st_ino)
      return true;
  }
  return false;
}

}  // namespace

const std::string& current_boot_id() {
  static const std::string id = [] {
    std::string text = read_if_there("/proc/sys/kernel/random/boot_id");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }();
  return id;
}

namespace {

// Fields 3 … 22 of /proc/PID/stat, [0] being field 3: the name before them may hold anything.
std::vector<std::string_view> fields_of(std::string_view stat_text) {
  std::vector<std::string_view> fields;
  const size_t name_end = stat_text.rfind(')');
  if (name_end == std::string_view::npos) return fields;
  std::string_view rest = stat_text.substr(name_end + 1);
  while (fields.size() < 20) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (word.empty()) return {};
    fields.push_back(word);
    rest.remove_prefix(word.size());
  }
  return fields;
}

// Of a process that has not ended; a zombie has.
std::vector<std::string_view> fields_of_living(std::string_view stat_text) {
  auto fields = fields_of(stat_text);
  if (!fields.empty() && (fields[0] == "Z" || fields[0] == "X")) fields.clear();
  return fields;
}

std::optional<int64_t> ticks_of(const std::vector<std::string_view>& fields) {
  return fields.empty() ? std::nullopt : pid_from(std::string(fields[19]));
}

std::string stat_of(int64_t pid) { return read_if_there(fmt::format("/proc/{}/stat", pid)); }

}  // namespace

std::optional<int64_t> start_ticks_from(std::string_view stat_text) { return ticks_of(fields_of_living(stat_text)); }

std::optional<double> cpu_seconds(const ProcessIdentity& process) {
  const std::string text = stat_of(process.pid);
  const auto fields = fields_of_living(text);
  if (fields.empty() || process.boot_id != current_boot_id() || ticks_of(fields) != process.start_ticks)
    return std::nullopt;
  const auto user = pid_from(std::string(fields[11])), system = pid_from(std::string(fields[12]));
  return static_cast<double>(user.value_or(0) + system.value_or(0)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<Age> age_of(const ProcessIdentity& process) {
  if (process.pid <= 0 || process.start_ticks <= 0 || process.boot_id != current_boot_id()) return std::nullopt;
  const auto now = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  // Its start counts the machine's sleep, as CLOCK_BOOTTIME does; CLOCK_MONOTONIC does not.
  const double start = static_cast<double>(process.start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return Age{.least_s = std::max(0.0, now(CLOCK_MONOTONIC) - start),
             .most_s = std::max(0.0, now(CLOCK_BOOTTIME) - start)};
}

std::optional<int64_t> start_ticks(int64_t pid) { return start_ticks_from(stat_of(pid)); }

std::optional<ProcessIdentity> identity_of(int64_t pid) {
  const std::string text = stat_of(pid);
  const auto ticks = ticks_of(fields_of(text));
  if (!ticks) return std::nullopt;
  return ProcessIdentity{.pid = pid, .start_ticks = *ticks, .boot_id = current_boot_id()};
}

bool is_alive(const ProcessIdentity& process) {
  return process.pid > 0 && process.boot_id == current_boot_id() && start_ticks(process.pid) == process.start_ticks;
}

bool has_ended(const Fd& pidfd) {
  pollfd end{pidfd.get(), POLLIN, 0};
  return ::poll(&end, 1, 0) == 1;
}

Fd open_pidfd(const ProcessIdentity& process) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  // Looked at after the descriptor is open: from here on the pid cannot pass to another process unnoticed.
  return is_alive(process) ? std::move(fd) : Fd();
}

std::vector<int64_t> holders_of(const fs::path& file) {
  struct stat info {};
  std::vector<int64_t> holders;
  if (::stat(file.c_str(), &info) != 0) return holders;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/proc", code)) {
    const auto pid = pid_from(entry.path().filename().string());
    if (pid && *pid != ::getpid() && has_open(*pid, info)) holders.push_back(*pid);
  }
  return holders;
}

}  // namespace bitsweep::execute
