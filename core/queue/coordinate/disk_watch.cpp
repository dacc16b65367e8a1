#include "coordinate/disk_watch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::coordinate {
namespace {

bool means_full(int error) { return error == ENOSPC || error == EDQUOT; }

// Asked of a file of its own that nobody ever sees: what is free by the filesystem's count may be somebody else's
// quota.
bool takes(const fs::path& root, uint64_t bytes) {
  std::string name = (root / ".room-XXXXXX").string();
  const Fd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return !means_full(errno);
  ::unlink(name.c_str());
  if (::fallocate(file.get(), 0, 0, static_cast<off_t>(bytes)) == 0) return true;
  if (errno == EOPNOTSUPP || errno == ENOSYS) return free_bytes(root) >= bytes;
  return !means_full(errno);
}

}  // namespace

Disk disk_of(const fs::path& root) {
  return {.free_bytes = [root] { return free_bytes(root); },
          .takes = [root](uint64_t bytes) { return takes(root, bytes); }};
}

bool tells_of_full_disk(std::string_view text) {
  return text.find(std::strerror(ENOSPC)) != std::string_view::npos ||
         text.find(std::strerror(EDQUOT)) != std::string_view::npos;
}

DiskWatch::DiskWatch(Disk disk, fs::path root, int64_t floor_bytes)
    : disk_(std::move(disk)), root_(std::move(root)), floor_bytes_(floor_bytes) {}

std::string DiskWatch::full_words() const {
  return fmt::format("disk: '{}' is full ({} free); what runs goes on from its last checkpoint when there is room for "
                     "{}. Nothing is started until then",
                     root_.string(), format_bytes(static_cast<double>(disk_.free_bytes())),
                     format_bytes(static_cast<double>(each_bytes_)));
}

std::string DiskWatch::look(double now) {
  if ((floor_bytes_ <= 0 && !full_) || (seen_ >= 0 && now - seen_ < kLook_s)) return "";
  seen_ = now;
  const DiskRoom before = room();
  const uint64_t free = disk_.free_bytes();
  floor_room_ = disk_room(free, floor_bytes_, floor_room_);
  if (full_ && takes(each_bytes_)) full_ = false;
  if (room() == before) return "";
  if (room() == DiskRoom::enough) return "disk: there is room again; going on";
  if (floor_room_ == DiskRoom::enough) return full_words();
  const char* then = room() == DiskRoom::low ? "; nothing is started until there is room"
                                             : "; runs are stopped, and go on when there is room";
  return disk_words(root_, free, floor_bytes_) + then;
}

std::string DiskWatch::met_full(int64_t needed_bytes) {
  each_bytes_ = std::max(each_bytes_, needed_bytes + static_cast<int64_t>(kLittle_bytes));
  if (full_ || takes(each_bytes_)) return "";
  full_ = true;
  return full_words();
}

int64_t DiskWatch::may_start(int64_t wanted, int64_t live) {
  if (each_bytes_ == 0) return wanted;
  int64_t most = wanted;
  while (most > 0 && !takes((live + most) * each_bytes_)) --most;
  if (most == 0 && live == 0 && wanted > 0) full_ = true;
  return most;
}

}  // namespace bitsweep::coordinate
