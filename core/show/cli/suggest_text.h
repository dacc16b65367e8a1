// What `suggest` found, in words, tables and JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/units.h"
#include "cli/candidates.h"
#include "render/table.h"
#include "suggest/suggest.h"

namespace bitsweep {

// Hours where this machine's speed is known for every candidate, else FLOPs.
struct Costs {
  bool hours = false;
  std::vector<double> of;  // a candidate each
  double spent = 0;        // on the runs that are done, in the same unit
  std::string text(double cost) const {
    return hours ? format_duration(3600 * cost) : fmt::format("{:.2e} FLOPs", cost);
  }
};

// "at 300M parameters, 1B tokens: 1.4800 ± 0.2 now, ± 0.09 expected after 6 runs (2h 10m)", a line a target.
std::vector<std::string> outlook_lines(const Suggestion& s, const Costs& costs);

// Everything `suggest` prints. `chosen`: the batch with its seeds.
std::string suggestion_text(const Suggestion& s, const LawData& law, const CandidateSet& set,
                            const std::vector<ChosenRun>& chosen, const Costs& costs);

// The document of `suggest --json`. `file`: that was written, "" for none.
json::object suggestion_json(const Suggestion& s, const LawData& law, const CandidateSet& set,
                             const std::vector<ChosenRun>& chosen, const Costs& costs, const std::string& file);

}  // namespace bitsweep
