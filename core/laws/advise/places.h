// Next runs of a law whose models nobody can make here: of a table of points, or of imported runs whose specs lack what
// a sweep file needs. Places alone: size, tokens, and the rate and batch that the runs tell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "advise/candidates.h"
#include "advise/next_sweep.h"
#include "advise/suggest.h"
#include "analysis/law_data.h"

namespace bitsweep::advise {

struct Place {
  double params = 0, tokens = 0, flops = 0;
  std::optional<double> lr, batch;  // by their laws where there are some, else as at the nearest place
  int64_t steps = 0;                // 0: not known
};

struct PlaceSet {
  std::vector<Place> places;
  Costs costs;  // hours where the runs say their wall time, else FLOPs
  int64_t seeds = 1;
};

// What keeps runs of this law from being a sweep file again: "run spec: 'data.glob' is missing"; "" for nothing.
std::string why_no_sweep(const analysis::SweepData& data, const analysis::LawData& law);

// A size and tokens as the runs would have it. REQUIRES a law with points.
Place place_at(const analysis::SweepData& data, const analysis::LawData& law, double params, double tokens);
// Hours of it, at the speed of the finished run of the nearest size; nothing where that is not known.
std::optional<double> hours_at(const analysis::SweepData& data, const analysis::LawData& law, const Place& place);

// Every size with every length, as far from the usual ratio as `rules` has it.
PlaceSet make_places(const analysis::SweepData& data, const analysis::LawData& law,
                     const std::vector<fit::Target>& targets, const CandidateRules& rules);

std::vector<Candidate> as_candidates(const PlaceSet& set, const analysis::LawData& law);

// The batch as YAML: a list of places, which says that it is no sweep file, and why.
std::string places_yaml(const std::string& maker, const std::string& why, const Suggestion& s, const PlaceSet& set,
                        const analysis::SweepData& data, const analysis::LawData& law);
// The same as CSV: params, tokens, steps, batch, lr, expected_loss.
std::string places_csv(const Suggestion& s, const PlaceSet& set);

}  // namespace bitsweep::advise
