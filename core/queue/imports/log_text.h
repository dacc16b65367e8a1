// The text of a log, cut into lines, objects and words. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "imports/log_names.h"
#include "imports/log_row.h"

namespace bitsweep::imports {

struct LogLine {
  std::string_view text;  // without its end and without the colours of a terminal; lives as long as the call
  int number = 0;         // from 1
  bool last = false;      // nothing but blanks behind it
};

// Calls `take` for each line that is not blank; a carriage return ends one as well (progress bars).
void each_line(std::string_view text, const std::function<void(const LogLine&)>& take);

struct ObjectsOfLine {
  int found = 0;
  bool torn = false;  // an object begins, or ends, and is not whole
};

// The objects in a line, whatever stands before, between and behind them: JSON, JSON with NaN and Infinity, and
// dictionaries as Python prints them. Behind a torn one only those that have a step are taken.
ObjectsOfLine each_object(std::string_view line, const LogNames& names,
                          const std::function<void(const json::object&)>& take);

// A whole document of JSON, which may hold NaN; nothing when it is none.
std::optional<json::value> parse_document(std::string_view text);

// The members of an object: nested ones by their dotted paths, those of config, args and hparams by their own names but
// without a step (the plan's). Lists are left out.
LogRow row_of(const json::object& object, std::string_view line, int number);

// "step:500/50000 val_loss:2.97 train_time:77540ms", "step 100 | val loss 2.3": numbers and the names before them, by
// ':', '=' or, where the name is known, a space. Times with a unit are in seconds, under the name with "_s" behind it.
LogRow words_of(std::string_view line, int number, const LogNames& names);

// Which of several processes said it, by "rank3" or "rank: 3" before its first object; nothing where none is named.
std::optional<int> rank_of(std::string_view line);

}  // namespace bitsweep::imports
