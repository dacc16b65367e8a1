#include "execute/records.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep::execute {
namespace {

constexpr uint64_t kLargest_bytes = 16 << 20;

std::optional<json::object> read_object(const fs::path& file) {
  try {
    auto value = try_parse_json(read_file(file, kLargest_bytes));
    if (value && value->is_object()) return std::move(value->get_object());
  } catch (const Error&) {
    // Not there, or not readable: the same as no evidence.
  }
  return std::nullopt;
}

json::object to_json(const ProcessIdentity& process) {
  return {{"pid", process.pid}, {"start_ticks", process.start_ticks}, {"boot_id", process.boot_id}};
}

ProcessIdentity identity_from(const json::object& object, std::string_view key) {
  const json::value* member = object.if_contains(key);
  if (member == nullptr || !member->is_object()) return {};
  const json::object& process = member->get_object();
  return {.pid = integer_or(process, "pid", 0),
          .start_ticks = integer_or(process, "start_ticks", 0),
          .boot_id = string_or(process, "boot_id", "")};
}

json::value or_null(const std::optional<int64_t>& value) { return value ? json::value(*value) : json::value(nullptr); }

std::optional<int64_t> optional_integer(const json::object& object, std::string_view key) {
  const json::value* member = object.if_contains(key);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  return integer_or(object, key, 0);
}

}  // namespace

void write_visible(const fs::path& file, std::string_view text) {
  const fs::path temporary = file.string() + ".tmp";
  {
    const Fd fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(fd.get(), text, file);
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0)
    throw Error(ErrorKind::environment, fmt::format("cannot write '{}': {}", file.string(), std::strerror(errno)));
}

void write_intent(const fs::path& attempt_folder, const Intent& intent) {
  json::object environment;
  for (const auto& [name, value] : intent.environment) environment[name] = value;
  const json::object object = {{"run", intent.run},
                               {"attempt", intent.attempt},
                               {"command", json::array(intent.command.begin(), intent.command.end())},
                               {"environment", std::move(environment)},
                               {"cpus", json::array(intent.cpus.begin(), intent.cpus.end())}};
  write_visible(attempt_folder / "intent.json", pretty_json(object) + "\n");
}

void write_process(const fs::path& attempt_folder, const ProcessRecord& record) {
  const json::object object = {{"shim", to_json(record.shim)}, {"worker", to_json(record.worker)}};
  write_visible(attempt_folder / "process.json", pretty_json(object) + "\n");
}

void write_exit(const fs::path& attempt_folder, const ExitRecord& exit) {
  const json::object object = {{"exit_code", or_null(exit.exit_code)},
                               {"signal", or_null(exit.signal)},
                               {"out_of_memory", exit.out_of_memory},
                               {"cannot_start", exit.cannot_start},
                               {"peak_rss_bytes", exit.peak_rss_bytes},
                               {"started", exit.started},
                               {"ended", exit.ended}};
  write_visible(attempt_folder / "exit.json", pretty_json(object) + "\n");
}

void sync_evidence(const fs::path& attempt_folder) {
  for (const char* name : {"events.jsonl", "exit.json"})
    if (const Fd file(::open((attempt_folder / name).c_str(), O_RDONLY | O_CLOEXEC)); file) ::fdatasync(file.get());
  if (const Fd folder(::open(attempt_folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); folder)
    ::fsync(folder.get());
}

std::optional<Intent> read_intent(const fs::path& attempt_folder) {
  const auto object = read_object(attempt_folder / "intent.json");
  if (!object) return std::nullopt;
  Intent intent{.run = string_or(*object, "run", ""),
                .attempt = integer_or(*object, "attempt", 0),
                .command = {},
                .environment = {},
                .cpus = {}};
  if (const json::value* list = object->if_contains("command"); list != nullptr && list->is_array())
    for (const json::value& word : list->get_array())
      if (word.is_string()) intent.command.emplace_back(word.get_string());
  if (const json::value* map = object->if_contains("environment"); map != nullptr && map->is_object())
    for (const auto& entry : map->get_object())
      if (entry.value().is_string())
        intent.environment[std::string(entry.key())] = std::string(entry.value().get_string());
  if (const json::value* list = object->if_contains("cpus"); list != nullptr && list->is_array())
    for (const json::value& cpu : list->get_array())
      if (cpu.is_int64()) intent.cpus.push_back(static_cast<int>(cpu.get_int64()));
  if (intent.command.empty()) return std::nullopt;
  return intent;
}

std::optional<ProcessRecord> read_process(const fs::path& attempt_folder) {
  const auto object = read_object(attempt_folder / "process.json");
  if (!object) return std::nullopt;
  const ProcessRecord record{.shim = identity_from(*object, "shim"), .worker = identity_from(*object, "worker")};
  if (record.shim.pid <= 1 || record.worker.pid < 0) return std::nullopt;
  return record;
}

std::optional<ExitRecord> read_exit(const fs::path& attempt_folder) {
  const auto object = read_object(attempt_folder / "exit.json");
  if (!object) return std::nullopt;
  ExitRecord exit{.exit_code = optional_integer(*object, "exit_code"),
                  .signal = optional_integer(*object, "signal"),
                  .out_of_memory = bool_or(*object, "out_of_memory", false),
                  .cannot_start = string_or(*object, "cannot_start", ""),
                  .peak_rss_bytes = integer_or(*object, "peak_rss_bytes", 0),
                  .started = number_or(*object, "started", 0),
                  .ended = number_or(*object, "ended", 0)};
  if (!exit.exit_code && !exit.signal && exit.cannot_start.empty()) return std::nullopt;
  return exit;
}

}  // namespace bitsweep::execute
