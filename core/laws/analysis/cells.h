// Measured runs put in order for a reader: variants, configurations (seeds together), classes of equal size and budget.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/input.h"
#include "analysis/run_settings.h"
#include "query/asked.h"
#include "query/comparable.h"

namespace bitsweep::analysis {

// Parameters and tokens within these factors of each other are one size and one budget.
constexpr double kSameSize = 1.15, kSameBudget = 1.02;

// A mean over seeds, or a difference of two. With one value a mean has no interval.
struct Estimate {
  double mean = 0;
  int values = 0;                    // seeds; of a difference those of the side that has fewer
  std::optional<double> sd;          // between seeds; n − 1
  std::optional<double> half_width;  // of the 95 % interval: of seeds (Student's t), of a difference of windows too
  std::optional<double> p;           // of a difference with seeds: two-sided, of there being none
  // Standard error over the validation windows, where those are known. Of a mean it is in no interval: what the windows
  // do to both sides cancels in a difference.
  std::optional<double> window_se;
  bool windows_alone = false;  // half_width is of the windows alone: a side has one seed
};
// What the choice of validation windows does to a loss or a difference: standard error, and degrees of freedom.
struct WindowError {
  double se = 0, degrees = 0;
};
// Nothing for no values.
std::optional<Estimate> estimate(const std::vector<double>& values);
// Of runs that were asked the same (query/asked.h). Where seeds of one configuration were not, of most of them.
struct TaskEstimate : Estimate {
  query::Asked asked;
  std::vector<size_t> apart;  // those of the runs that were asked else, into ReportInput::runs
};
// What a run was asked when it told its newest value of a metric; with {"step", "200"} where it went on after that.
query::Asked asked_at(const MeasuredRun& run, const std::string& metric);
// Those of the runs that were asked the same, where there are several such groups the largest.
std::vector<size_t> asked_alike(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which,
                                const std::string& metric);
// Of what sums up tasks (base/task_metrics.h), by name, over those of the runs that told it.
std::map<std::string, TaskEstimate> task_estimates(const std::vector<MeasuredRun>& runs,
                                                   const std::vector<size_t>& which);
// a − b with Welch's interval when both have one, and of the windows where `windows` tells of them. Half-widths of both
// kinds are added as squares (Howe, "Approximate confidence limits on the mean of X + Y", 1974), so that knowing of the
// windows never makes an interval of few seeds narrower, as pooled degrees of freedom would.
Estimate difference(const Estimate& a, const Estimate& b, const std::optional<WindowError>& windows = {});
// Of differences seed by seed, likewise. REQUIRES two or more.
Estimate paired_difference(const std::vector<double>& differences, const std::optional<WindowError>& windows = {});

// Runs that differ in nothing but the seed, all of them finished.
struct ReportCell {
  std::string variant;  // plugin, and its options where they differ: "v76 (alibi=false)"
  double params = 0, params_nonembedding = 0, tokens = 0;
  double bytes = 0;       // of text that the tokens stand for; 0: not known
  std::string tokenizer;  // "": not known
  std::optional<double> epochs, flops, batch, lr, wall_s, tokens_per_s;
  Settings factors;                                          // every other setting
  std::vector<size_t> runs;                                  // into ReportInput::runs
  int64_t attempts = 0;                                      // of all its runs
  Estimate final_bpc, best_bpc;
  double choice = 0;                        // by which the best setting of a place is chosen: the validation loss
  std::vector<double> window_bpc;           // of each validation window at the end, the mean of its runs; or none
  std::map<std::string, TaskEstimate> metrics;  // at the end: what sums up tasks (base/task_metrics.h)
  size_t size_class = 0, budget_class = 0;  // into CellTable
  bool shape_given = false;                 // it starts from weights (starts_from_weights())
  bool seed_known = true;                   // else a run of its own: equal settings alone make no two seeds
};

// A class of nearly equal values: targets of 1M parameters come out a little apart.
struct ValueClass {
  double value = 0;   // geometric middle
  std::string label;  // "1.05M"
};

// Classes of parameter counts, ascending; the class of each value into `class_of`.
std::vector<ValueClass> classify_sizes(const std::vector<double>& params, std::vector<size_t>& class_of);

// By which measure cells are of one size, and of one budget. Tokens of two tokenizers are no equal amounts of text, and
// embeddings of two vocabularies no equal sizes: where tokenizers vary, cells are matched as most of them can be.
struct Measure {
  bool body = false;   // parameters beside embedding and head, in place of all
  bool bytes = false;  // of text, in place of tokens
  double size(const ReportCell& cell) const { return body ? cell.params_nonembedding : cell.params; }
  double budget(const ReportCell& cell) const { return bytes ? cell.bytes : cell.tokens; }
  const char* sizes() const { return body ? "body parameters" : "parameters"; }
  const char* budgets() const { return bytes ? "bytes of text" : "tokens"; }
};

struct CellTable {
  Measure measure;
  std::vector<ReportCell> cells;  // by variant (in order of appearance), then size, then tokens, then loss
  std::vector<std::string> variants;
  std::vector<ValueClass> sizes;    // ascending
  std::vector<ValueClass> budgets;  // ascending
  // Of several settings (learning rates, batches) at a size and budget the one with the lowest final loss. Cells that
  // differ in nothing but a size or length within the class are places of their own, and each is here.
  std::vector<size_t> chosen;     // into cells, in their order
  std::vector<int> alternatives;  // beside `chosen`: how many cells it was chosen from

  // The chosen cell of a variant at a size and a budget; of several, the lowest.
  std::optional<size_t> at(const std::string& variant, size_t size_class, size_t budget_class) const;
  // The cell and those that say the same of themselves: runs whose seeds are not known, in the order of cells.
  std::vector<size_t> alike(size_t cell) const;
  // "1.05M parameters", "4M tokens": of a class, in the measure's words.
  std::string size_text(size_t size_class) const;
  std::string budget_text(size_t budget_class) const;
  // Sizes at which a variant was measured.
  size_t sizes_of(const std::string& variant) const;
};

// What each of these runs is a variant of: its plugin, with those options that differ between runs of the plugin and
// are no matter of size.
std::vector<std::string> variant_names(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which);

// Finished runs to cells; `variants` has the name of each of `which`. Sizes within 15 % are one class, budgets within 2
// %, by parameters and tokens; where tokenizers vary, by those measures by which most cells of different tokenizers
// meet, of equals body before all parameters and bytes before tokens.
CellTable make_cells(const std::vector<MeasuredRun>& runs, const std::vector<size_t>& which,
                     const std::vector<std::string>& variants);

// Settings in which two cells differ, beyond what their sizes, budgets and variants already say: "train.lr".
std::vector<std::string> other_differences(const ReportCell& a, const ReportCell& b);

// The one setting of these; nothing where none differs or several do.
struct SettingDifference {
  std::string path, from, to;
};
std::optional<SettingDifference> only_difference(const ReportCell& a, const ReportCell& b);

// Everything in which two cells differ, variant, size and tokens first: "params 5.5M → 46.4M".
std::vector<std::string> all_differences(const ReportCell& a, const ReportCell& b);
// By more than budgets of one class do.
bool tokens_differ(const ReportCell& a, const ReportCell& b);

// The same settings as `of` has them: "train.lr 0.0003"; empty when none differ.
std::vector<std::string> settings_of(const ReportCell& of, const ReportCell& where_other_than);

}  // namespace bitsweep::analysis
