// A file of claims about runs, for `report --claims`: what somebody states, and facts that the file of points does not
// hold.
//
//     facts:
//       datasets: { stories: { unique_tokens: 387M } }   # epochs follow from it
//       runs: { long: { wall: 108m }, short: { wall: 69m } }
//     claims:
//       - name: prediction
//         of: loss of 300M             # claims of one quantity must not exclude each other
//         law: power                   # or chinchilla; with `axis: tokens` a power law of tokens
//         parameters: { E: 1.0, A: 1.76, alpha: 0.218 }
//         units: { params: M }         # N is counted in millions
//         runs: [a, b, c]              # those it is stated for
//         residuals: 0.02
//         target: { params: 300M }
//         value: 1.47                  # or range: [1.42, 1.52], or plus_minus: 0.05 beside the value
//         noise: 0.02                  # of a residual, for what the runs allow
//       - name: larger batch
//         compare: [long, short]       # the second against the first
//         equal: [compute]             # compute, tokens, params, wall, or a setting
//         differ_only: [batch]
//         change: -0.026
//         wall_change: -0.36
//       - name: size
//         params: 290M
//         model: { plugin: v57, d_model: 2048, n_layers: 16, n_heads: 32, d_ff: 1024, vocab: 128, context: 256 }
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/claims.h"
#include "analysis/points_file.h"
#include "plan/plan.h"

namespace bitsweep::analysis {

struct ClaimsFile {
  std::vector<Claim> claims;
  std::map<std::string, double> unique_tokens;  // by dataset
  std::map<std::string, double> wall_s;         // by run
};

// Throws Error{input} with all that is wrong, each with its place.
ClaimsFile read_claims(const std::string& text, const std::string& name_for_message);

// Fills in what the points leave open. Throws Error{input} for a dataset or a run that is not there.
void add_facts(const ClaimsFile& file, PointsFile& points);

// Full ids for prefixes, everywhere in the claims. Throws Error{input} for a run that is not there.
void resolve_runs(std::vector<Claim>& claims, const std::vector<MeasuredRun>& runs);

// Asks plugins for the sizes of stated models, where there are any.
void count_models(std::vector<Claim>& claims, plan::Describer& describer);

}  // namespace bitsweep::analysis
