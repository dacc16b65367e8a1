#include "event/event.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

namespace bitsweep::event {
namespace {

// Reads [offset, offset + bytes) or less at the end of the file.
std::string read_range(int fd, uint64_t offset, size_t bytes) {
  std::string text(bytes, '\0');
  size_t have = 0;
  while (have < bytes) {
    const ssize_t got = ::pread(fd, text.data() + have, bytes - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  text.resize(have);
  return text;
}

// Nothing of what is no file.
uint64_t size_of(const Fd& fd) {
  struct stat info {};
  return fd && ::fstat(fd.get(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

}  // namespace

std::string to_line(const Event& event) {
  json::object line;
  line["event"] = event.kind;
  line["run"] = event.run;
  line["attempt"] = event.attempt;
  line["seq"] = event.seq;
  line["step"] = event.step;
  line["time"] = event.time;
  for (const auto& field : event.fields) line[field.key()] = field.value();
  return compact_json(line) + '\n';
}

namespace {

constexpr std::array<std::string_view, 6> kOwn = {"event", "run", "attempt", "seq", "step", "time"};

// Reads the members that to_line() writes first, in its order and spelling; any other way of writing them is left to
// the parser of JSON.
class Head {
 public:
  explicit Head(std::string_view line) : rest_(line.substr(0, line.find_last_not_of(" \t\r\n") + 1)) {}
  bool read(Event& event) {
    return word(R"({"event":")") && name(event.kind) && word(R"(","run":")") && name(event.run) &&
           word(R"(","attempt":)") && number(event.attempt) && word(R"(,"seq":)") && number(event.seq) &&
           word(R"(,"step":)") && number(event.step) && word(R"(,"time":)") && number(event.time) &&
           (rest_.starts_with(",\"") || rest_ == "}");
  }
  // The rest of the line as an object.
  std::string object() const { return "{" + std::string(rest_.substr(rest_.starts_with(',') ? 1 : 0)); }

 private:
  bool word(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool name(std::string& value) {
    size_t n = 0;
    while (n < rest_.size() && rest_[n] != '"') {
      if (rest_[n] < ' ' || rest_[n] > '~' || rest_[n] == '\\') return false;
      ++n;
    }
    value.assign(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return true;
  }
  template <class T>
  bool number(T& value) {
    const auto digit = [&](size_t i) { return i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9'; };
    if (!digit(0) || (rest_[0] == '0' && digit(1))) return false;  // no "inf", no sign, no "01"
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (code != std::errc() || end[-1] == '.') return false;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return true;
  }
  std::string_view rest_;
};

bool is_numbered(const Event& event) { return event.attempt >= 1 && event.seq >= 1; }

// A line as to_line() writes it; nothing for any other, which may still be an event.
std::optional<Event> parse_own_line(std::string_view line) {
  Event own;
  Head head(line);
  if (!head.read(own) || !is_numbered(own)) return std::nullopt;
  std::string text = head.object();
  auto parsed = try_parse_json(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  for (const auto& field : parsed->get_object())
    if (std::find(kOwn.begin(), kOwn.end(), field.key()) != kOwn.end()) return std::nullopt;  // said twice
  // Constructed by a move, not assigned: with the memory that the object lies in.
  return Event{.kind = std::move(own.kind),
               .run = std::move(own.run),
               .attempt = own.attempt,
               .seq = own.seq,
               .step = own.step,
               .time = own.time,
               .fields = std::move(parsed->get_object()),
               .text = std::move(text)};
}

std::optional<Event> parse_any_line(std::string_view text) {
  auto parsed = try_parse_json(text);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  json::object& line = parsed->get_object();
  for (const std::string_view key : kOwn) {
    const json::value* value = line.if_contains(key);
    const bool is_text = key == "event" || key == "run";
    if (value == nullptr || !(is_text ? value->is_string() : value->is_number())) return std::nullopt;
  }
  Event event{.kind = string_or(line, "event", ""),
              .run = string_or(line, "run", ""),
              .attempt = integer_or(line, "attempt", 0),
              .seq = integer_or(line, "seq", 0),
              .step = integer_or(line, "step", 0),
              .time = number_or(line, "time", 0),
              .fields = std::move(line)};
  if (!is_numbered(event)) return std::nullopt;
  for (const std::string_view own : kOwn) event.fields.stable_erase(own);
  return event;
}

}  // namespace

std::optional<Event> parse_event(std::string_view line) {
  auto event = parse_own_line(line);
  return event ? event : parse_any_line(line);
}

EventWriter::EventWriter(fs::path path, std::string run, int64_t attempt)
    : path_(std::move(path)), run_(std::move(run)), attempt_(attempt) {
  fd_ = open_file(path_, O_RDWR | O_CREAT | O_APPEND);
  uint64_t whole = 0;
  for (;;) {
    const EventChunk chunk = read_events(path_, whole);
    for (const Event& event : chunk.events) next_seq_ = std::max(next_seq_, event.seq + 1);
    if (chunk.next_offset == whole) break;
    whole = chunk.next_offset;
  }
  if (::ftruncate(fd_.get(), static_cast<off_t>(whole)) != 0)
    throw Error(ErrorKind::environment, "cannot cut the torn end of '" + path_.string() + "'");
}

void EventWriter::write(std::string_view kind, int64_t step, json::object fields) {
  const Event event{.kind = std::string(kind),
                    .run = run_,
                    .attempt = attempt_,
                    .seq = next_seq_,
                    .step = step,
                    .time = system_clock().unix_s(),
                    .fields = std::move(fields)};
  const std::string line = to_line(event);
  const ssize_t put = ::write(fd_.get(), line.data(), line.size());
  if (put != static_cast<ssize_t>(line.size())) {
    // A full disk can take half a line. End it here so that the next one is whole again.
    struct stat info {};
    if (put > 0 && ::fstat(fd_.get(), &info) == 0) {
      if (::ftruncate(fd_.get(), info.st_size - put) != 0) { /* readers pass over a torn line */
      }
    }
    throw Error(ErrorKind::environment, "cannot write an event to '" + path_.string() + "': disk full?");
  }
  ++next_seq_;
}

void EventWriter::sync() {
  if (::fdatasync(fd_.get()) != 0) throw Error(ErrorKind::environment, "cannot sync '" + path_.string() + "'");
}

EventChunk read_events(const fs::path& path, uint64_t offset, size_t limit_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const uint64_t size = size_of(fd);
  return read_events(fd, offset, std::min<uint64_t>(limit_bytes, size > offset ? size - offset : 1));
}

EventChunk read_events(const Fd& fd, uint64_t offset, size_t limit_bytes) {
  EventChunk chunk{.events = {}, .next_offset = offset};
  if (!fd) return chunk;
  const size_t before = offset > 0 ? 1 : 0;  // the end of the line that was read last
  std::string text = read_range(fd.get(), offset - before, before + limit_bytes);
  if (before > 0 && (text.empty() || text.front() != '\n')) {
    chunk.truncated = true;
    return chunk;
  }
  // A line longer than the limit is read whole, or the reader would never pass it.
  while (text.size() == before + limit_bytes && text.find('\n', before) == std::string::npos &&
         offset + limit_bytes < size_of(fd)) {
    limit_bytes *= 2;
    text = read_range(fd.get(), offset - before, before + limit_bytes);
  }
  size_t begin = before;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (auto event = parse_event(std::string_view(text).substr(begin, end - begin)))
      chunk.events.push_back(std::move(*event));
    else
      ++chunk.foreign_lines;
  }
  chunk.next_offset = offset + begin - before;
  return chunk;
}

}  // namespace bitsweep::event
