// Typed events of a run and their JSON line, the one thing that crosses from the worker to the orchestrator.
//
// Format of events.jsonl: one JSON object a line, written by one write(), ended by '\n':
//   {"event":"eval","run":"0123456789ab","attempt":1,"seq":7,"step":200,"time":1.7e9,"val_bpc":3.1,…}
// (run, attempt, seq) is unique, so reading a line twice changes nothing. A last line without '\n' is torn: readers
// stop before it, and the next writer truncates it. Kinds: start, eval, checkpoint, resume, end; others pass through.
//
// Fields by kind (units in the name; bytes_, _s, tokens): see core/queue/event/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace bitsweep::event {

struct Event {
  std::string kind;
  std::string run;
  int64_t attempt = 0;
  int64_t seq = 0;
  int64_t step = 0;
  double time = 0;  // unix seconds
  json::object fields;  // everything else; a value that is not finite is null here
  std::string text = {};  // `fields` as the line that was read has them; "" when it was written in another way
};

std::string to_line(const Event& event);  // with the final '\n'

// Nothing when the line is not an event of ours (not JSON, no "event", wrong types).
std::optional<Event> parse_event(std::string_view line);

// Appends the events of one attempt. Numbers them from 1, or goes on after the last whole line of an existing file,
// whose torn tail is cut off. Not thread-safe. Throws Error{environment} when the disk refuses.
class EventWriter {
 public:
  EventWriter(fs::path path, std::string run, int64_t attempt);
  // Fills run, attempt, seq and time; returns after the line is handed to the system.
  void write(std::string_view kind, int64_t step, json::object fields);
  // To the disk itself; called at checkpoints and at the end.
  void sync();

 private:
  fs::path path_;
  std::string run_;
  int64_t attempt_;
  int64_t next_seq_ = 1;
  Fd fd_;
};

// What a reader found from `offset` on.
struct EventChunk {
  std::vector<Event> events;
  uint64_t next_offset = 0;    // after the last whole line
  int64_t foreign_lines = 0;   // lines that are no event of ours, passed over
  bool truncated = false;      // no line ends at `offset`: the file was replaced or cut
};

// Reads whole lines from `offset`, where a line has ended, at most `limit_bytes` of them. A missing file gives an empty
// chunk.
EventChunk read_events(const fs::path& path, uint64_t offset, size_t limit_bytes = 4 << 20);
// The same of a file that is open; nothing of an invalid descriptor.
EventChunk read_events(const Fd& file, uint64_t offset, size_t limit_bytes);

}  // namespace bitsweep::event
