// Runs that could come next: sizes and lengths around those of a sweep and beyond, everything else as its best runs had
// it; and a sweep file of those that were chosen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/law_data.h"
#include "fit/points.h"
#include "plan/plan.h"
#include "plan/speed.h"

namespace bitsweep::advise {

// A finished run whose settings a candidate of about its size takes over.
struct Reference {
  spec::RunSpec spec;
  double params = 0;
  std::string id = "";  // of the run
};

struct CandidateRules {
  int64_t most_seeds = 3;  // of one configuration, those of finished runs counted
  double beyond = 10;      // how far tokens per parameter may leave the range of the runs and targets
  size_t sizes = 24, lengths = 20;
};

struct CandidateRun {
  plan::PlannedRun run;        // of the first unused seed
  double asked_params = 0;     // what the sweep file says
  std::vector<int64_t> seeds;  // unused ones
};

struct CandidateSet {
  std::vector<CandidateRun> runs;
  std::vector<std::string> notes;
};

// The finished runs of a law's data, one a size: the one of the lowest loss. Ascending sizes.
std::vector<Reference> references_of(const analysis::SweepData& data, const analysis::LawData& law);

// What plugins are asked of a model of this size: the options of the run of the nearest size, its shape left open; of
// one that starts from another's weights, that very shape.
plan::DescribeQuestion question_of(const std::vector<Reference>& references, double params, const json::object& kept);

// The reference of the size nearest to this one. REQUIRES some.
const Reference& nearest_reference(const std::vector<Reference>& references, double params);

// Two significant digits, as a person would write it.
double two_digits(double value);

// From low to high by equal factors of at least √2, both ends among them, as a person would write them.
std::vector<double> size_ladder(double low, double high, size_t most);

// Sizes and lengths begin at half of the smallest that was run: further down runs cost all but nothing, and whether the
// law holds there nobody has seen.
inline constexpr double kBelowRuns = 2;

// All that make_candidates() will ask of its describer.
std::vector<plan::DescribeQuestion> candidate_questions(const std::vector<Reference>& references,
                                                        const std::vector<fit::Point>& points,
                                                        const std::vector<fit::Target>& targets,
                                                        const json::object& kept, const CandidateRules& rules);

// Every size with every length; of runs that start from others' weights their own sizes alone, which a note says. A
// size that the plugin cannot make is left out; so are runs that would end within two warmups. `kept`: options of the
// shape that the sweep fixes beside the size (n_layers, n_heads). `known_run` tells whether a run id is in the
// database.
CandidateSet make_candidates(const std::vector<Reference>& references, const std::vector<fit::Point>& points,
                             const std::vector<fit::Target>& targets, const json::object& kept,
                             const std::vector<int64_t>& seeds, const CandidateRules& rules, plan::Describer& describer,
                             const std::function<bool(const std::string&)>& known_run);

// One chosen run of the file: a candidate and the seed.
struct ChosenRun {
  const CandidateRun* candidate = nullptr;
  int64_t seed = 0;
  std::string comment;  // behind its case
};

// A sweep file that asks for exactly these runs. `head`: lines of comment at its top. REQUIRES some.
std::string sweep_yaml(const std::string& name, const std::vector<std::string>& head,
                       const std::vector<ChosenRun>& chosen, const json::object& kept, const json::object& resources,
                       const std::string& law, const std::vector<fit::Target>& targets);

// The spec of one of the chosen runs, with its seed.
spec::RunSpec spec_of(const ChosenRun& chosen);

}  // namespace bitsweep::advise
