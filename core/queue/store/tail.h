// Follows one attempt's events.jsonl while it grows, and notices when it is cut or replaced.
#pragma once

#include <string>

#include "event/event.h"

namespace bitsweep::store {

class EventTail {
 public:
  // Goes on at `offset` of the file whose identity (inode) is `file`; 0, 0 from the start.
  EventTail(fs::path path, uint64_t offset, uint64_t file);

  // Whole lines since the last read, up to an eighth of a megabyte; nothing new gives no events. A file that became
  // shorter or is another one is read from its start: events that are known already are ignored by the store.
  struct Chunk {
    std::vector<event::Event> events;
    uint64_t next_offset = 0;
    uint64_t file = 0;
    int64_t foreign_lines = 0;
    bool restarted = false;  // the file was cut or replaced
  };
  Chunk read();
  // The chunk is in the database: the next read starts after it. Without this the same chunk comes again.
  void advance(const Chunk& chunk);

 private:
  fs::path path_;
  Fd open_;
  uint64_t offset_;
  uint64_t file_;
};

}  // namespace bitsweep::store
