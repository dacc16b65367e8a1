// Rows of the forms in which tables and documents say what a log says line by line. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "imports/log_names.h"
#include "imports/log_row.h"
#include "imports/log_tally.h"

namespace bitsweep::imports {

using TakeRow = std::function<void(LogRow)>;

// Rows of a CSV. A wide export ("RUN - metric" columns, with "__MIN" and "__MAX" beside them, which are passed over)
// gives a row a run; one scalar of TensorBoard ("Wall time,Step,Value") has val_bpc as its value. Rows of another
// length and rows without a step are told to `tally`.
void each_table_row(const CsvTable& table, std::string_view text, const LogNames& names, LogTally& tally,
                    const TakeRow& take);

// Whether a text is a CSV: by what it begins with, and by the file's suffix (".csv", ".tsv") where that does not tell.
bool is_table(std::string_view text, std::string_view suffix, const LogNames& names);

// Rows of a document: a list of objects, that of "log_history" (Hugging Face's trainer_state.json) or of another single
// member, or lists of equal length, one a column. What stands beside the list tells facts.
void each_document_row(const json::value& document, const LogNames& names, const TakeRow& take);

// Puts together what the tidy form tells a value a row: run, key, value, step. Where a key's steps fall back, what it
// said of the steps beyond is given up.
class TidyRows {
 public:
  TidyRows(const LogNames& names, LogTally& tally) : names_(names), tally_(tally) {}
  // False for a row of another form, which stays with the caller.
  bool take(const LogRow& row);
  void flush(const TakeRow& take);

 private:
  struct Run {
    std::map<double, LogRow> rows;       // by step
    std::map<std::string, double> last;  // step of each key
  };
  void give_up(Run& run, const std::string& key, double beyond);

  const LogNames& names_;
  LogTally& tally_;
  std::vector<std::string> order_;
  std::map<std::string, Run> runs_;
};

}  // namespace bitsweep::imports
