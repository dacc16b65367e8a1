// Logs of training runs that were made elsewhere, read as runs. Pure.
//
// Read are: JSON lines ({"event", "step", "val_bpc", …}) and Python's dictionaries, alone, several in a line or behind
// a prefix, among whatever else a script prints; lines of words ("step:500/50000 val_bpb:1.15"); a document with a list
// of such objects (trainer_state.json); CSV with a row an evaluation, a row a value (run, key, value, step), or a
// column a run ("RUN - metric").
//
// Columns are found by their names (log_names.h): step (iter, global_step …), val_bpc (val_bpb, bpc …), tokens, lr …; a
// map says otherwise. In JSON lines, an object that holds no step, or is a member called config, args or hparams, tells
// facts of the run (params, batch, context, seed …).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "event/event.h"
#include "imports/log_names.h"

namespace bitsweep::imports {

// What a run's log or a person tells of it; empty where nobody does.
struct ForeignFacts {
  std::optional<double> params, batch, context;
  json::value seed;           // int64 or uint64, digit for digit; null where none is told
  bool seed_is_lost = false;  // one is told that cannot be kept exactly
  std::string plugin, dataset, tokenizer;
};

struct ForeignRun {
  std::string name;
  bool is_named = false;  // by its log, not by its file
  ForeignFacts facts;
  std::vector<event::Event>
      events;                 // evaluations and other events in the log's order; run, attempt and seq are not set
  std::string status;         // of its own end event, or ""
  std::optional<double> bytes_per_token;  // by its losses in nats a token and in bits per byte
  int64_t evals() const;
};

// A row of the table of runs that `export` writes: facts without a curve.
struct DescribedRun {
  std::string name;
  ForeignFacts facts;
  std::string state;
};

struct ForeignLog {
  std::vector<ForeignRun> runs;         // in order of appearance
  std::vector<DescribedRun> described;  // by a table of runs; their evaluations are in another file
  int64_t other_lines = 0;              // nothing in them that was looked for: passed over
  int64_t torn_lines = 0;               // an object in them is not whole; without the last line
  int first_torn = 0;                   // its line, from 1
  bool torn = false;             // the last line was cut
  bool of_words = false;         // its evaluations are lines of words, no objects
  std::vector<std::string> notes;  // what else was passed over, or read in a way that a person should know
};

struct ForeignFormat {
  std::map<std::string, std::string> columns;  // our name of a column -> its name in the log
  double bits_per_unit = 1;                    // losses are multiplied by it: 1 / ln 2 for nats …
  bool unit_is_told = false;  // then a loss a token ("val_loss") counts where there is none in bits per byte
};

// `stem` names a run whose log does not. All mistakes go to `findings`, one a kind: steps that are no whole numbers,
// losses that are no numbers, no evaluation at all.
ForeignLog read_foreign_jsonl(std::string_view text, const std::string& stem, const ForeignFormat& format,
                              Findings& findings);
ForeignLog read_foreign_csv(std::string_view text, const std::string& stem, const ForeignFormat& format,
                            Findings& findings);
// Either, by what the text begins with and the file's suffix (".csv").
ForeignLog read_foreign_log(std::string_view text, const std::string& stem, std::string_view suffix,
                            const ForeignFormat& format, Findings& findings);

// What a table of runs says of runs whose evaluations are in another file, where those do not say it themselves.
void describe(std::vector<ForeignRun*> runs, const std::vector<DescribedRun>& described);

// The forms that are read, a line each: what `import --help` shows.
const std::vector<std::string>& foreign_forms();

}  // namespace bitsweep::imports
