// Room on the root's disk while runs are at work: the floor that a person asks for and, whatever the floor, what runs
// that met a full disk have found out.
//
// A full disk is no fault of a run. Once one has met it, nothing is started until what it needs can be written again,
// and from then on no more runs at once than the disk takes a checkpoint of each.
#pragma once

#include <functional>
#include <string>

#include "base/files.h"
#include "coordinate/disk_room.h"

namespace bitsweep::coordinate {

// What the disk says; tests say it themselves.
struct Disk {
  std::function<uint64_t()> free_bytes;
  // Whether so many bytes can be written now: beside a full disk a quota may forbid it.
  std::function<bool(uint64_t bytes)> takes;
};
Disk disk_of(const fs::path& root);

// Whether these are the system's words for a full disk or a quota that is used up, as they stand in a message or a log.
bool tells_of_full_disk(std::string_view text);

class DiskWatch {
 public:
  DiskWatch(Disk disk, fs::path root, int64_t floor_bytes);

  // Looks again, at most once a second of `now` (monotonic). What a person should hear of it; "" when nothing is new.
  std::string look(double now);
  // Enough, or why nothing is started. Low as well while runs that met a full disk wait for room.
  DiskRoom room() const { return full_ && floor_room_ == DiskRoom::enough ? DiskRoom::low : floor_room_; }
  // Nothing can be written: not even a little.
  bool is_full() const { return !disk_.takes(kLittle_bytes); }
  bool takes(int64_t bytes) const { return disk_.takes(static_cast<uint64_t>(bytes)); }

  // A run could not write, and needs so much to go on. What a person should hear of it.
  std::string met_full(int64_t needed_bytes);
  // How many of `wanted` may be started beside `live` ones. None of them with nobody live: waits for room.
  int64_t may_start(int64_t wanted, int64_t live);

 private:
  static constexpr uint64_t kLittle_bytes = 1 << 20;
  static constexpr double kLook_s = 1.0;
  std::string full_words() const;

  Disk disk_;
  fs::path root_;
  int64_t floor_bytes_;
  DiskRoom floor_room_ = DiskRoom::enough;
  int64_t each_bytes_ = 0;  // that a run writes before it is further; 0: none has met a full disk
  bool full_ = false;
  double seen_ = -1;
};

}  // namespace bitsweep::coordinate
