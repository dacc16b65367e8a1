#include "coordinate/disk_room.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/units.h"
#include "coordinate/attempt_files.h"

namespace bitsweep::coordinate {
namespace {

constexpr double kBytesPerParameter = 12;
constexpr double kCheckpoints = 2;  // last and best
constexpr int64_t kSample = 5;      // finished runs whose files are looked at

double bytes_per_parameter(store::Store& store, const std::string& plugin) {
  double largest = 0;
  for (const auto& [run, params] : finished_runs(store, plugin, kSample)) {
    const auto file = best_checkpoint(store.paths().run(run));
    std::error_code code;
    const auto bytes = file ? fs::file_size(*file, code) : 0;
    if (!code) largest = std::max(largest, static_cast<double>(bytes) / static_cast<double>(params));
  }
  return largest > 0 ? largest : kBytesPerParameter;
}

}  // namespace

DiskRoom disk_room(uint64_t free_bytes, int64_t floor_bytes, DiskRoom before) {
  const double free = static_cast<double>(free_bytes), floor = static_cast<double>(floor_bytes);
  if (free < floor / 4) return DiskRoom::gone;
  if (before != DiskRoom::enough && free < floor * 1.1)
    return before == DiskRoom::gone ? DiskRoom::gone : DiskRoom::low;
  return free < floor ? DiskRoom::low : DiskRoom::enough;
}

std::string disk_words(const fs::path& root, uint64_t free_bytes, int64_t floor_bytes) {
  return fmt::format("disk: {} free in '{}', below the floor of {}", format_bytes(static_cast<double>(free_bytes)),
                     root.string(), format_bytes(static_cast<double>(floor_bytes)));
}

double predicted_checkpoint_bytes(store::Store& store, const std::vector<store::Ahead>& ahead) {
  std::map<std::string, double> params;
  for (const store::Ahead& part : ahead) params[part.plugin] += part.params;
  double bytes = 0;
  for (const auto& [plugin, sum] : params) bytes += sum * kCheckpoints * bytes_per_parameter(store, plugin);
  return bytes;
}

std::optional<double> remaining_seconds(store::Store& store, const std::vector<store::Ahead>& ahead,
                                        const std::vector<LiveRate>& live, int64_t slots) {
  std::map<std::string, std::pair<double, double>> running;  // plugin -> FLOP/s of those that were measured, how many
  double seconds = 0, longest = 0;
  for (const LiveRate& run : live) {
    const auto rate = run.flops_per_s ? run.flops_per_s : measured_flops_per_s(store, run.plugin);
    if (!rate || *rate <= 0) return std::nullopt;
    if (run.flops_per_s) running[run.plugin].first += *rate, running[run.plugin].second += 1;
    seconds += run.flops_left / *rate;
    longest = std::max(longest, run.flops_left / *rate);
  }
  for (const store::Ahead& part : ahead) {
    if (part.live) continue;
    // What runs now tells best how fast this machine is now.
    const auto now = running.find(part.plugin);
    const auto rate = now != running.end() ? std::optional(now->second.first / now->second.second)
                                           : measured_flops_per_s(store, part.plugin);
    if (!rate || *rate <= 0) return std::nullopt;
    seconds += part.flops / *rate;
  }
  return std::max(longest, seconds / static_cast<double>(std::max<int64_t>(slots, 1)));
}

}  // namespace bitsweep::coordinate
