#include "coordinate/attempt_files.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fcntl.h>
#include <unistd.h>

namespace bitsweep::coordinate {
namespace {

constexpr std::string_view kPrefix = "attempt-";
constexpr int64_t kBytesOfParameter = 12;

// K of the name "attempt-K".
std::optional<int64_t> attempt_number(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number <= 0) return std::nullopt;
  return number;
}

// Newest first.
std::vector<int64_t> attempt_numbers(const fs::path& run_folder) {
  std::vector<int64_t> numbers;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(run_folder, code)) {
    if (const auto number = attempt_number(entry.path().filename().string())) numbers.push_back(*number);
  }
  std::sort(numbers.rbegin(), numbers.rend());
  return numbers;
}

fs::path checkpoint_folder(const fs::path& run_folder, int64_t attempt) {
  return run_folder / (std::string(kPrefix) + std::to_string(attempt)) / "checkpoints";
}

std::string file_name(std::string_view kind) { return std::string(kind) + ".safetensors"; }

void remove_quietly(const fs::path& file) {
  std::error_code code;
  fs::remove(file, code);
}

}  // namespace

int64_t highest_attempt(const fs::path& run_folder) {
  const auto numbers = attempt_numbers(run_folder);
  return numbers.empty() ? 0 : numbers.front();
}

std::vector<fs::path> resume_candidates(const fs::path& run_folder, int64_t finished) {
  std::vector<fs::path> files;
  for (const int64_t number : attempt_numbers(run_folder)) {
    if (number <= finished) break;
    for (const char* kind : {"last", "best"})
      if (fs::path file = checkpoint_folder(run_folder, number) / file_name(kind); fs::exists(file))
        files.push_back(std::move(file));
  }
  return files;
}

std::optional<fs::path> newest_checkpoint(const fs::path& run_folder, std::string_view kind) {
  for (const int64_t number : attempt_numbers(run_folder)) {
    const fs::path file = checkpoint_folder(run_folder, number) / file_name(kind);
    if (fs::exists(file)) return file;
  }
  return std::nullopt;
}

int64_t checkpoint_bytes(const fs::path& run_folder, int64_t params) {
  std::error_code code;
  const auto newest = newest_checkpoint(run_folder, "last");
  const auto file = newest ? newest : newest_checkpoint(run_folder, "best");
  const auto bytes = file ? fs::file_size(*file, code) : 0;
  return !code && bytes > 0 ? static_cast<int64_t>(bytes) : kBytesOfParameter * params;
}

std::string log_tail(const fs::path& attempt_folder) {
  constexpr off_t kMost_bytes = 4096;
  const Fd log(::open((attempt_folder / "worker.log").c_str(), O_RDONLY | O_CLOEXEC));
  if (!log) return "";
  const off_t size = ::lseek(log.get(), 0, SEEK_END);
  std::string text(static_cast<size_t>(std::clamp<off_t>(size, 0, kMost_bytes)), '\0');
  const ssize_t got = ::pread(log.get(), text.data(), text.size(), std::max<off_t>(0, size - kMost_bytes));
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, got)));
  return text;
}

int64_t attempt_of(const fs::path& checkpoint) {
  return attempt_number(checkpoint.parent_path().parent_path().filename().string()).value_or(0);
}

std::optional<fs::path> best_checkpoint(const fs::path& run_folder) {
  if (auto best = newest_checkpoint(run_folder, "best")) return best;
  return newest_checkpoint(run_folder, "last");
}

void drop_superseded_checkpoints(const fs::path& run_folder, int64_t attempt, int64_t finished) {
  std::set<std::string> newer;  // kinds that a later attempt has
  for (const int64_t number : attempt_numbers(run_folder)) {
    if (number <= finished) break;
    std::set<std::string> here;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(checkpoint_folder(run_folder, number), code)) {
      const std::string name = entry.path().filename().string();
      const bool whole = entry.path().extension() == ".safetensors";
      if (whole) here.insert(name);
      if (number < attempt && (!whole || newer.contains(name))) remove_quietly(entry.path());
    }
    newer.merge(here);
  }
}

void apply_retention(const fs::path& run_folder, const json::object& spec) {
  std::set<std::string> keep;
  const json::value* checkpoint = spec.if_contains("checkpoint");
  const json::value* list =
      checkpoint != nullptr && checkpoint->is_object() ? checkpoint->get_object().if_contains("keep") : nullptr;
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& word : list->get_array())
    if (word.is_string()) keep.insert(file_name(std::string_view(word.get_string())));
  for (const int64_t number : attempt_numbers(run_folder))
    for (const char* kind : {"last", "best"})
      if (!keep.contains(file_name(kind))) remove_quietly(checkpoint_folder(run_folder, number) / file_name(kind));
}

std::vector<std::string> worker_command(const WorkerCall& call) {
  std::vector<std::string> words = {call.worker_program.string(),
                                    "train",
                                    "--spec",
                                    (call.attempt_folder / "spec.json").string(),
                                    "--out",
                                    call.attempt_folder.string(),
                                    "--run",
                                    call.run,
                                    "--attempt",
                                    std::to_string(call.attempt),
                                    "--device",
                                    call.device == "cpu" ? "cpu" : "cuda:0",
                                    "--threads",
                                    std::to_string(call.threads),
                                    "--cache",
                                    call.cache.string(),
                                    "--plugin-dir",
                                    call.plugin_folder.string()};
  for (const fs::path& file : call.resume) words.insert(words.end(), {"--resume", file.string()});
  if (call.init) words.insert(words.end(), {"--init", call.init->string()});
  return words;
}

}  // namespace bitsweep::coordinate
