// ROOT/runs/history.jsonl: what the database knows and no run's folder tells, beside the run folders, so that the
// database can be made again from them (rebuild.h). Sweeps, the queue, people's words (cancel, pause, priority),
// attempts, data sets, fits, predictions, probes; not events and what follows from them, which events.jsonl holds.
//
// One JSON object a line:
//   {"history": ID, "schema": 3}            the first line; ID belongs to the file and to its database
//   {"put": "run", "row": {…}}              a new row, or the columns of an older one that changed beside its key
//   {"drop": "run", "row": {…}}             a row that is gone, by its key
//   {"skip": [FROM, TO]}                    these bytes of the file were never committed
// The file is written within each commit, under the database's write lock, so that its order is the order of commits;
// the database holds how far the file reached with it. A commit that failed after its lines were written leaves more
// bytes than that: the next one marks them with "skip". A file that lacks something (removed, cut) is written anew when
// the database is opened next. New rows are forced to the disk; changes of attempts and states are not, because their
// evidence lies in the attempt's folder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/database.h"

namespace bitsweep::store {

// Keeps the file in step with one connection that writes.
class History {
 public:
  // REQUIRES a database of the newest schema. Writes the whole file when it is missing, or not this database's (that
  // one is kept beside it, as history.kept-N.jsonl), or lacks something.
  History(Database& database, fs::path file);
  History(const History&) = delete;
  History& operator=(const History&) = delete;
  ~History();

  // Notes a row of a table whose rows follow from events, but this one does not. Within a transaction.
  void note(const std::string& table, const json::object& row);

 private:
  struct Table {
    std::vector<std::string> columns;
    uint64_t key = 0;      // bit i: column i is of the primary key
    uint64_t derived = 0;  // … follows from events
  };

  void follow(const std::string& table, bool with_triggers);
  int64_t note_change(std::span<const json::value> arguments);
  int64_t append(int64_t committed, std::string_view line, bool durable);
  void begin(int64_t committed);
  void write();
  void forget();
  bool is_current() const;
  void open_file_again();
  void write_anew();

  Database& database_;
  fs::path file_;
  std::map<std::string, Table, std::less<>> tables_;
  Fd fd_;
  uint64_t inode_ = 0;
  // Of the transaction that is going on.
  bool noting_ = false, incomplete_ = false, durable_ = false;
  uint64_t base_ = 0;
  std::string lines_;
};

// True when the file tells of any row: its database was lost or removed.
bool history_has_rows(const fs::path& file);

// Of the database whose rows it tells; 0 when it is no history file.
int64_t history_schema(const fs::path& file);

// What replay_history() found.
struct Replayed {
  int64_t rows = 0;                   // put or dropped
  // Rows of `metric` and `metric_kind`, for after the events.
  std::vector<json::object> metrics, metric_kinds;
  std::vector<std::string> problems;  // lines that say nothing, with their numbers
};

// Puts the rows of the file into an empty database of its schema, in one transaction. A torn last line is left
// out. Throws Error{input} when the file cannot be read, Error{refused} when it is of a newer bitsweep.
Replayed replay_history(const fs::path& file, Database& database);

}  // namespace bitsweep::store
