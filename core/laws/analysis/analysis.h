// Everything a report says in numbers, computed before a word is written. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/before_after.h"
#include "analysis/cells.h"
#include "analysis/claims.h"
#include "analysis/input.h"
#include "analysis/law_points.h"
#include "analysis/optimum.h"
#include "analysis/parameter_value.h"
#include "analysis/robustness.h"
#include "analysis/setting_law.h"
#include "fit/fit.h"
#include "frontier/verdict.h"
#include "query/comparable.h"

namespace bitsweep::analysis {

// A difference between two cells, second − first: seed by seed where both have the same two or more seeds (what a seed
// does to both cancels), else by Welch's interval where both have one. Where runs tell of their validation windows the
// interval has what these do to it, window by window; of one seed it is of that alone, and there is no p.
struct CellChange {
  Estimate change;
  bool paired = false;
  std::optional<double>
      p_holm;  // of no difference, corrected for all comparisons of its kind that have seeds (Holm 1979)
};

// From one chosen cell to its neighbour along one axis, everything else equal as far as `also` says.
struct ScalingStep : CellChange {  // change: of the final loss; negative is better
  size_t from = 0, to = 0;         // cells
  double per_unit = 0;             // per doubling of tokens, or per decade of parameters
  std::vector<std::string> also;   // what differs besides
};

// From one batch to the next larger at one size, where their tokens are nearest: what else was paid.
struct SettingStep : CellChange {
  size_t from = 0, to = 0;            // cells
  double tokens_ratio = 1;            // to / from
  std::optional<double> wall_change;  // to / from − 1
  std::vector<std::string> also;      // every setting that differs, the batch too
};

// The same model, size, tokens and settings on two texts: how much harder the second is. No comparison of models.
struct TextOffset {
  size_t first_group = 0, first = 0, second_group = 0, second = 0;  // into Analysis::groups, and their cells
  Estimate change;                                                  // loss on the second − loss on the first
};

// Whether one variant's laws on several texts differ by a constant alone.
struct TextLaw {
  std::string variant;
  std::vector<size_t> groups;  // into Analysis::groups
  size_t runs = 0;
  fit::GroupingTest test;
};

// Two variants at equal size and budget.
struct VariantComparison : CellChange {
  size_t a = 0, b = 0;            // cells; the change is loss of b − loss of a
  std::vector<std::string> also;  // what differs besides
};

// A setting of one variant at two of its values, all else equal, wherever both were measured: an ablation. Of the rate
// and the batch, which a variant is tuned in, other sections tell.
struct Ablation {
  std::string variant, setting, from, to;  // "train.gradients", "f32", "s6"
  struct Place : CellChange {              // change: loss with `to` − loss with `from`
    size_t a = 0, b = 0;                   // cells, of one size and budget
  };
  std::vector<Place> places;
  // Over places, each the mean of its seeds: its interval is of what changes from place to place. Of one place it is
  // that place's.
  Estimate change;
};

// One law fitted to one variant's runs.
struct LawFit {
  std::string variant, law;
  // When a law of one axis was fitted to a part of the runs: those of this budget (or size) alone.
  std::optional<size_t> budget_class, size_class;
  std::vector<fit::Point> points;  // all runs of the variant's chosen cells
  std::vector<size_t> runs;   // of each point, into ReportInput::runs
  fit::FitResult result;
  // The targets that were asked for with 2 and 4 times their tokens, of laws that read tokens.
  std::vector<fit::Prediction> longer;
  frontier::Verdict verdict;  // without budgets: those are ComputeOptimum's
  std::optional<Robustness> robustness;

  bool drawable() const { return result.has_params(); }
  // A law of one axis says nothing of the other: the values it was fitted at.
  bool uses_params() const { return result.axis != "tokens"; }
  bool uses_tokens() const { return result.axis != "params"; }
  // The law's loss at these sizes and budgets. REQUIRES drawable().
  std::vector<double> losses(const std::vector<fit::Target>& at) const;
};

struct GroupAnalysis : RunGroup {
  std::vector<ScalingStep> token_steps, param_steps;
  std::vector<SettingStep> setting_steps;
  std::vector<VariantComparison> variant_comparisons;  // every pair of variants at every shared size and budget
  std::vector<Ablation> ablations;  // every value of a setting against the one that was asked for first
  std::vector<LawFit> fits;
  std::vector<ComputeOptimum> optima;  // of variants with runs of a joint law
  std::optional<ParameterValue> parameter_value;
  std::vector<SettingLaw> setting_laws;  // of each variant with known rates
  std::vector<BeforeAfter> before_after;
};

// Whether a variant's fit by `law` is over all its runs, so that a later report may be held against it.
bool kept_for_later(const LawFit& fit);

struct Analysis {
  std::vector<GroupAnalysis> groups;   // those with runs; comparisons never cross them
  std::vector<TextOffset> offsets;     // but for these …
  std::vector<TextLaw> text_laws;      // … and these
  std::vector<ClaimVerdict> verdicts;  // on ReportInput::claims
  int64_t finished = 0, excluded = 0;
};

// comparisons.cpp: what analyse() makes of the cells.
enum class Along { tokens, params };
std::vector<ScalingStep> steps_along(const ReportInput& input, const CellTable& table, Along along);
std::vector<SettingStep> setting_steps(const ReportInput& input, const CellTable& table);
std::vector<VariantComparison> variant_comparisons(const ReportInput& input, const CellTable& table);
std::vector<Ablation> ablations(const ReportInput& input, const CellTable& table);
// Nothing but the text, and so its validation part, tells these apart.
bool differ_by_text_alone(const query::ComparableGroup& a, const query::ComparableGroup& b);
std::vector<TextOffset> text_offsets(const ReportInput& input, const std::vector<GroupAnalysis>& groups);

// A of a law in A / N^alpha where N is counted in millions, as papers often have it; nothing for other laws.
std::optional<double> amplitude_in_millions(const fit::FitResult& fit);

// FLOPs of a cell's training: as planned, else 6 N D.
double training_flops(const ReportCell& cell);

// The order of the strongest of these count models (RunGroup::yardsticks) that a loss beats; -1 when it beats none.
int highest_order_beaten(double bits_per_byte, const std::vector<double>& yardsticks);

Analysis analyse(const ReportInput& input);

}  // namespace bitsweep::analysis
