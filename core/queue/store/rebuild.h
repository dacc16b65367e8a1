// The database of a root made again: from the history file and the events of the run folders.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"

namespace bitsweep::store {

struct Rebuilt {
  int64_t rows = 0;                   // changes that the history told
  int64_t attempts = 0, events = 0;   // read from run folders
  int64_t without_events = 0;         // attempts that had events, but their file is gone
  std::vector<std::string> problems;  // what could not be read, with file and line
};

// Builds in a scratch root of its own; the root it is about is only read, until take_over().
class Rebuild {
 public:
  // `scratch` is emptied. REQUIRES that nobody works in `root`, and keeps it so: a CoordinatorLock.
  Rebuild(const fs::path& root, const fs::path& scratch);
  ~Rebuild();  // removes `scratch`

  // In this order. What the history tells; nothing when there is none.
  void replay();
  // The events of every attempt that the database knows, then the metrics and their kinds that no event told.
  void read_events();
  // Those of one attempt, which the database knows.
  void read_events_of(const std::string& run, int64_t attempt);

  // What its spec says of a run: it was trained elsewhere.
  void was_imported(const std::string& run);
  // As it was before it was claimed for that attempt, whatever the history knows of it.
  void make_claimable(const std::string& run, int64_t attempt);

  // The database being built; its clock may be set to when things happened.
  Store& store() { return *store_; }
  FakeClock& clock() { return clock_; }
  Rebuilt& result() { return result_; }

  // Puts database and history in their places. What was there is kept beside them, as bitsweep.db.kept-N and
  // runs/history.kept-N.jsonl; returns those. Throws Error{refused} while another process has the old database open.
  std::vector<fs::path> take_over();

 private:
  RootPaths root_, scratch_;
  FakeClock clock_;
  std::unique_ptr<Store> store_;
  std::vector<json::object> metrics_, metric_kinds_;
  Rebuilt result_;
};

// Whether SQLite finds nothing wrong with the file.
bool is_sound(Database& database);
// Whether anything was ever submitted or imported.
bool has_sweeps(Database& database);

// Rows that two databases of the newest schema do not share, of every table but `history` and
// every column but attempt.events_file (an inode, which a copy of the root does not keep).
struct TableDifference {
  std::string table;
  int64_t rows = 0;                   // keys in either
  int64_t differences = 0;            // rows that only one has, or that differ
  std::vector<std::string> examples;  // of the first few, in words
};
std::vector<TableDifference> compare_databases(Database& before, Database& after);

}  // namespace bitsweep::store
