// JSON lines: one JSON object a line in, the text under one key out.
//
//   JsonLines lines(field, sink);
//   lines.begin_file(name); lines.add(part); lines.add(part); lines.end_file();     // for every file of a corpus
//   lines.wrong(), lines.documents().notes();
//
// Memory is that of the longest line, whatever the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/documents.h"
#include "data/json_line.h"
#include "data/text_sink.h"

namespace bitsweep::data {

class JsonLines {
 public:
  // A line that is longer is none.
  static constexpr size_t longest_line_bytes = size_t{1} << 30;
  // So many lines without a text, and the rest is not looked at.
  static constexpr uint64_t most_wrong = 10'000;

  // Passes each line's object[field], a string, to `sink`, each followed by '\n' where it does not end in one, and
  // tells `end` (where there is one) that a document ends there. Blank lines and byte-order marks are passed over; so
  // are texts that are null (or NaN) or empty, which are counted.
  JsonLines(std::string field, TextSink sink, DocumentEnd end = {})
      : line_(field), documents_(std::move(field), std::move(sink), std::move(end)) {}

  void begin_file(const std::string& name);
  // The next bytes of the file, cut anywhere. Throws Error{input} for a line above longest_line_bytes.
  void add(std::span<const uint8_t> part);
  void end_file();

  // Whether so many lines are wrong that further ones are not looked at.
  bool gave_up() const { return wrong_lines_ >= most_wrong; }
  // A finding for each kind of mistake: FILE:LINE of the first, why, and how many lines there are of the kind. A line
  // with one gave no text.
  std::vector<Diagnostic> wrong() const;
  // Where the texts go; those that come in another form may join them.
  Documents& documents() { return documents_; }
  const Documents& documents() const { return documents_; }

 private:
  enum Mistake { not_json, torn, not_object, missing, not_text, mistakes };

  void read_line(std::string_view line, bool torn_end);
  void mistake(Mistake kind, std::string why, int64_t column = 0);
  DocumentPlace place() const { return {file_, line_number_}; }

  JsonLine line_;
  Documents documents_;
  std::string file_;
  int64_t line_number_ = 0;
  std::string begun_;  // a line whose end has not come yet
  bool list_ = false;  // the file is one list, and its first line said so
  uint64_t wrong_lines_ = 0;
  Tally wrong_[mistakes];
};

}  // namespace bitsweep::data
