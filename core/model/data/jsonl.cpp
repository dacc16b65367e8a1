#include "data/jsonl.h"

#include <algorithm>
#include <climits>

#include <fmt/format.h>

#include "base/units.h"

namespace bitsweep::data {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

void JsonLines::begin_file(const std::string& name) {
  file_ = name;
  line_number_ = 0;
  begun_.clear();
  list_ = false;
}

void JsonLines::add(std::span<const uint8_t> part) {
  std::string_view rest(reinterpret_cast<const char*>(part.data()), part.size());
  while (!rest.empty() && !gave_up() && !list_) {
    const size_t end = rest.find('\n');
    const std::string_view piece = rest.substr(0, end);
    if (begun_.size() + piece.size() > longest_line_bytes)
      throw Error(ErrorKind::input, {{file_, static_cast<int>(std::min<int64_t>(line_number_ + 1, INT_MAX)), 0,
                                      fmt::format("a line of more than {}: JSON lines end in a newline each",
                                                  format_bytes(static_cast<double>(longest_line_bytes)))}});
    if (end == std::string_view::npos) {
      begun_ += piece;
      return;
    }
    rest.remove_prefix(end + 1);
    if (begun_.empty()) {
      read_line(piece, false);
    } else {
      begun_ += piece;
      read_line(begun_, false);
      begun_.clear();
    }
  }
}

void JsonLines::end_file() {
  if (!begun_.empty() && !gave_up() && !list_) read_line(begun_, true);
  begun_.clear();
  begun_.shrink_to_fit();
}

void JsonLines::mistake(Mistake kind, std::string why, int64_t column) {
  ++wrong_lines_;
  wrong_[kind].add(1, place(), column, why);
}

void JsonLines::read_line(std::string_view line, bool torn_end) {
  ++line_number_;
  const size_t mark = line.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  line.remove_prefix(mark);
  if (blank(line)) return;
  // A file that begins with a list is one document: its further lines are no lines of their own.
  list_ = line_number_ == 1 && line[line.find_first_not_of(" \t\r")] == '[';
  switch (line_.read(line)) {
    case JsonLine::Found::text:
      return documents_.add(line_.text(), place(), line_.lone_surrogates());
    case JsonLine::Found::null:
      return documents_.add_null(place());
    case JsonLine::Found::missing:
      return mistake(missing, line_.why());
    case JsonLine::Found::not_text:
      return mistake(not_text, line_.why());
    case JsonLine::Found::not_object:
      return mistake(not_object, line_.why());
    case JsonLine::Found::no_json:
      if (torn_end && line_.incomplete())
        return mistake(torn,
                       fmt::format("the last line is no complete JSON ({}): the file seems cut off", line_.why()));
      return mistake(not_json, fmt::format("no JSON: {}", line_.why()), line_.column() + static_cast<int64_t>(mark));
  }
}

std::vector<Diagnostic> JsonLines::wrong() const {
  std::vector<Diagnostic> found;
  for (const Tally& tally : wrong_) {
    if (tally.count == 0) continue;
    Diagnostic& diagnostic = found.emplace_back(tally.first);
    if (tally.count > 1)
      diagnostic.message +=
          fmt::format(" (the first of {} lines{})", format_thousands(static_cast<int64_t>(tally.count)),
                      gave_up() ? "; further lines were not looked at" : "");
  }
  return found;
}

}  // namespace bitsweep::data
