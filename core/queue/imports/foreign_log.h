// Logs of training runs that were made elsewhere, read as runs: JSON lines ({"event", "step", "val_bpc", …}, as
// training scripts print them, among other lines), and CSV with one row an evaluation. Pure.
//
// Columns are found by their names, in whatever case: step (iter, global_step …), val_bpc (val_bpb, bpc …), tokens, lr
// …; a map says otherwise. In JSON lines, an object that holds no step, or is a member called config, args or hparams,
// tells facts of the run (params, batch, context, seed …).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"
#include "event/event.h"

namespace bitsweep {

// Numbers of a run that its log or a person tells; empty where nobody does.
struct ForeignFacts {
  std::optional<double> params, batch, context, seed;
  std::string plugin, dataset, tokenizer;
};

struct ForeignRun {
  std::string name;
  ForeignFacts facts;
  std::vector<Event> events;  // evaluations and other events in the log's order; run, attempt and seq are not set
  std::string status;         // of its own end event, or ""
  int64_t evals() const;
};

struct ForeignLog {
  std::vector<ForeignRun> runs;  // in order of appearance
  int64_t other_lines = 0;       // of a JSON log: no JSON object, passed over
  bool torn = false;             // the last line was cut
};

struct ForeignFormat {
  std::map<std::string, std::string> columns;  // our name of a column -> its name in the log
  double bits_per_unit = 1;                    // losses are multiplied by it: 1 / ln 2 for nats …
};

// "step=iteration,val_bpc=val/bpc": Throws Error{input} for a name that is none of ours.
std::map<std::string, std::string> parse_foreign_map(const std::string& text);

// `stem` names a run whose log does not. All mistakes go to `findings`: broken JSON, steps that are no whole numbers,
// losses below zero or that are no numbers, rows of another length, no evaluation at all.
ForeignLog read_foreign_jsonl(std::string_view text, const std::string& stem, const ForeignFormat& format,
                              Findings& findings);
ForeignLog read_foreign_csv(std::string_view text, const std::string& stem, const ForeignFormat& format,
                            Findings& findings);

}  // namespace bitsweep
