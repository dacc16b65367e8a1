#include "store/tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace bitsweep::store {
namespace {

// Of one file at a time: a catch-up over many files then stays within the caches, and within a few megabytes.
constexpr size_t kMost_bytes = 128 << 10;

}  // namespace

EventTail::EventTail(fs::path path, uint64_t offset, uint64_t file)
    : path_(std::move(path)), offset_(offset), file_(file) {}

// A file that grows is asked by its descriptor alone; whether it still is the one of that name is asked when it does
// not.
EventTail::Chunk EventTail::read() {
  struct stat info {};
  const auto has_more = [&] {
    return ::fstat(open_.get(), &info) == 0 && static_cast<uint64_t>(info.st_size) > offset_ && info.st_ino == file_;
  };
  if (!open_ || !has_more()) {
    if (::stat(path_.c_str(), &info) != 0) return {.events = {}, .next_offset = offset_, .file = file_};
    if (static_cast<uint64_t>(info.st_size) == offset_ && info.st_ino == file_)
      return {.events = {}, .next_offset = offset_, .file = file_};
    open_ = Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!open_ || ::fstat(open_.get(), &info) != 0) return {.events = {}, .next_offset = offset_, .file = file_};
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  const auto file = static_cast<uint64_t>(info.st_ino);
  const auto read_from = [&](uint64_t offset) {
    return event::read_events(open_, offset, std::min<uint64_t>(kMost_bytes, size > offset ? size - offset : 1));
  };
  event::EventChunk found;
  found.truncated = offset_ != 0 && file != file_;  // another file in its place: from its beginning
  if (!found.truncated) found = read_from(offset_);
  const bool restarted = found.truncated;
  if (restarted) found = read_from(0);
  return {.events = std::move(found.events),
          .next_offset = found.next_offset,
          .file = file,
          .foreign_lines = found.foreign_lines,
          .restarted = restarted};
}

void EventTail::advance(const Chunk& chunk) {
  offset_ = chunk.next_offset;
  file_ = chunk.file;
}

}  // namespace bitsweep::store
