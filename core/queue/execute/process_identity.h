// Processes named so that a later one with the same pid is never taken for them: pid, start time and boot id.
#pragma once

#include <optional>
#include <string>

#include "execute/executor.h"

namespace bitsweep::execute {

const std::string& current_boot_id();  // it does not change while we live

// Field 22 of /proc/PID/stat. Nothing when there is no such process, or only its zombie.
std::optional<int64_t> start_ticks(int64_t pid);
// The same from the file's text: the name in field 2 may hold spaces and parentheses.
std::optional<int64_t> start_ticks_from(std::string_view stat_text);

// Of a zombie too: a child that has ended before it was looked at is still that child until it is waited for.
std::optional<ProcessIdentity> identity_of(int64_t pid);
bool is_alive(const ProcessIdentity& process);

// Seconds since it began, by the kernel's own count, which nobody can set: between these two, which are equal where the
// machine has not slept. Nothing for a process of an earlier boot, and for none.
struct Age {
  double least_s = 0, most_s = 0;
};
std::optional<Age> age_of(const ProcessIdentity& process);

// Processor time of all its threads so far; nothing when it is not that process any more.
std::optional<double> cpu_seconds(const ProcessIdentity& process);

// A descriptor that becomes readable when the process ends; invalid when it is not that process, or has ended.
Fd open_pidfd(const ProcessIdentity& process);
bool has_ended(const Fd& pidfd);

// Pids that have this file open, other than this process: who holds its lock.
std::vector<int64_t> holders_of(const fs::path& file);

}  // namespace bitsweep::execute
