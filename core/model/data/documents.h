// The documents of a corpus whose files hold many: a line of JSON each, or a row of a table. Passes their texts on, and
// counts what is passed over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/text_sink.h"

namespace bitsweep::data {

// Where a document stands: in a file that is read by lines, or by rows.
struct DocumentPlace {
  std::string_view file;
  int64_t number = 0;  // from 1
  bool row = false;
};

// Something that is counted, and told with its first place.
struct Tally {
  uint64_t count = 0;
  Diagnostic first;
  bool of_rows = false;
  // The place is remembered the first time.
  void add(uint64_t more, const DocumentPlace& place, int64_t column = 0, const std::string& why = "");
};

class Documents {
 public:
  // `field`: under which the texts stand, for messages. `end` may be none.
  Documents(std::string field, TextSink sink, DocumentEnd end)
      : field_(std::move(field)), sink_(std::move(sink)), end_(std::move(end)) {}

  // Passes the text on, followed by '\n' where it does not end in one, and tells its end. An empty one is counted.
  // `lone_surrogates`: halves of pairs in it that became U+FFFD.
  void add(std::string_view text, const DocumentPlace& place, uint64_t lone_surrogates = 0);
  void add_null(const DocumentPlace& place) { null_.add(1, place); }

  // What was passed over or replaced, a sentence each.
  std::vector<std::string> notes() const;

 private:
  std::string field_;
  TextSink sink_;
  DocumentEnd end_;
  Tally null_, empty_, surrogates_, not_utf8_;
};

}  // namespace bitsweep::data
