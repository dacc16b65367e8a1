// Room on the disk of a root: what is free, what the runs ahead will take, and what that allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/control.h"

namespace bitsweep::coordinate {

inline constexpr int64_t kDefaultDiskFloor_bytes = INT64_C(1) << 30;

enum class DiskRoom {
  enough,
  low,   // below the floor: nothing is started
  gone,  // below a quarter of it: what runs is stopped while its checkpoint still has room, and goes on later
};
// Pure. Once it is low, a tenth above the floor must be free before it is enough again. A floor of 0 asks nothing.
DiskRoom disk_room(uint64_t free_bytes, int64_t floor_bytes, DiskRoom before);

// "disk: 310 MB free in '…', below the floor of 1.0 GB"
std::string disk_words(const fs::path& root, uint64_t free_bytes, int64_t floor_bytes);

// Bytes that the checkpoints of what is queued or live will come to: two a run, each as large a parameter as those of
// finished runs of the plugin are, or twelve bytes (weights and two moments in f32) where there is none yet.
double predicted_checkpoint_bytes(store::Store& store, const std::vector<store::Ahead>& ahead);

// Seconds until nothing is left of what is queued or live: FLOPs ahead, by the rates of finished runs of the same
// plugin, `slots` at a time. `live` runs count from the step they have reached. Nothing while a plugin has not been
// measured.
struct LiveRate {
  std::string plugin;
  double flops_left = 0;
  std::optional<double> flops_per_s;
};
std::optional<double> remaining_seconds(store::Store& store, const std::vector<store::Ahead>& ahead,
                                        const std::vector<LiveRate>& live, int64_t slots);

}  // namespace bitsweep::coordinate
