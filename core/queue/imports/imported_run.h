// Runs of foreign logs, as the database takes them: with a spec, an id, an attempt and its events. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imports/foreign_log.h"
#include "store/imports.h"
#include "store/records.h"

namespace bitsweep::imports {

// What a person says of all runs; it stands above what their logs say.
struct ImportOptions {
  std::string sweep = "imported";
  std::string plugin, corpus, tokenizer;
  std::string dataset;  // id of one that the database knows
  std::optional<double> params, batch, context;
  json::value seed;  // int64 or uint64; null where none is said
  ForeignFormat format;
};

// A run of a log, and the file that it stands in.
struct FoundRun {
  ForeignRun run;
  std::string file;     // absolute
  double modified = 0;  // unix seconds, of the file
};

// Runs that are named by their file alone: another folder is another run, so that one whose name another file of the
// sweep has already gets as many folders before it as tell the two apart ("b/metrics"). The same file keeps its name.
void name_by_folder(std::vector<FoundRun>& found, const std::vector<store::KnownImport>& known);

store::ImportedRun imported_run(FoundRun found, const ImportOptions& options);

// The evaluations of an imported run as the database will tell them: one a step, the last in the order of steps.
struct ImportedLosses {
  int64_t evals = 0;
  std::optional<double> best, last;
};
ImportedLosses losses_of(const store::ImportedRun& run);
std::optional<double> bytes_per_token_of(const store::ImportedRun& run);

// Where runs of one text and tokenizer differ in their bytes a token, and where a token is a byte although the
// tokenizer is not one of bytes: a sentence each. `known`: what the sweep held before.
std::vector<std::string> doubts_about_units(const std::vector<store::ImportedRun>& runs,
                                            const std::vector<store::KnownImport>& known);

}  // namespace bitsweep::imports
