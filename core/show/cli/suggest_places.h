// `suggest` of runs of which no sweep file can be made: a table's, or imported ones. Places alone.
#pragma once

#include <string>
#include <vector>

#include "analysis/law_data.h"
#include "base/json.h"
#include "cli/options.h"

namespace bitsweep::cli {

struct PlacesQuestion {
  const analysis::SweepData& data;
  const analysis::LawData& law;
  std::vector<fit::Target> targets;
  std::string why;       // there is no sweep file
  bool several = false;  // one of several laws: files are named by their variant
};

// Prints, or adds to `documents` with --json, and writes a list of places for each; --hours and --budget are divided
// among them. The exit status.
int suggest_places(const CommandLine& line, const std::vector<PlacesQuestion>& asked, json::array& documents);

// `suggest --points`, from the command line to the last word.
int suggest_of_table(const CommandLine& line);

}  // namespace bitsweep::cli
