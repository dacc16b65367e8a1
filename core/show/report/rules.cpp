// The rules by which a report says what weakens its conclusions, one function each, and their list.
#include "report/rules.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "analysis/confounds.h"
#include "base/units.h"
#include "render/format.h"
#include "report/builds.h"
#include "report/confounds.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

using Texts = std::vector<render::Text>;

constexpr double kTokensPerParameter = 20;  // Hoffmann et al. 2022, at the compute optimum of ordinary models

void few_sizes(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  std::map<size_t, std::vector<std::string>> by_count;
  for (const std::string& variant : g.table.variants)
    if (const size_t n = g.table.sizes_of(variant); n < 4) by_count[n].push_back(variant);
  for (const auto& [n, variants] : by_count)
    out.push_back(fmt::format("Few sizes: {} for {}. How the loss bends with size cannot be told from so few.",
                              n == 1 ? std::string("one") : fmt::format("{}", n), listed_variants(g, variants)));
}

void few_budgets(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  const size_t n = g.table.budgets.size();
  if (n == 1)
    out.push_back(g.table.measure.bytes ? "One budget of text: nothing is known about more or longer training."
                                        : "One token budget: nothing is known about more or longer training.");
  else if (n == 2)
    out.push_back("Two token budgets: the slope with tokens is one difference a size, its curvature unknown.");
}

// "75.8k bytes with bytes256": of one budget in tokens.
std::vector<std::string> texts_of(const analysis::CellTable& table, size_t budget) {
  std::map<std::string, double> bytes;
  for (const size_t c : table.chosen)
    if (const analysis::ReportCell& cell = table.cells[c]; cell.budget_class == budget)
      bytes[cell.tokenizer] = cell.bytes;
  std::vector<std::string> told;
  for (const auto& [tokenizer, amount] : bytes)
    told.push_back(amount > 0 ? fmt::format("{} with {}", format_bytes(amount), tokenizer)
                              : fmt::format("an unknown amount with {}", tokenizer));
  return told;
}

// Of the largest budget at which two tokenizers meet.
void equal_tokens(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  if (g.table.measure.bytes) return;
  std::optional<size_t> largest;
  for (const analysis::VariantComparison& gap : g.variant_comparisons) {
    const analysis::ReportCell &a = g.table.cells[gap.a], &b = g.table.cells[gap.b];
    if (a.tokenizer != b.tokenizer && a.budget_class >= largest.value_or(0)) largest = a.budget_class;
  }
  if (!largest) return;
  out.push_back(fmt::format(
      "Tokenizers are compared at equal tokens, which are different amounts of text: {} are {}. A tokenizer of longer "
      "tokens has read more; at equal bytes of text the order may be another.",
      g.table.budget_text(*largest), listed(texts_of(g.table, *largest))));
}

void one_seed(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  const auto single = static_cast<size_t>(std::count_if(
      g.table.cells.begin(), g.table.cells.end(), [](const analysis::ReportCell& c) { return c.runs.size() < 2; }));
  if (single == 0) return;
  if (single == g.table.cells.size())
    out.push_back(
        "One seed each: how much the loss varies from seed to seed is not known, so small differences may be chance.");
  else
    out.push_back(fmt::format("{} of {} configurations have one seed only.", single, g.table.cells.size()));
}

// Of laws of one axis alone the other hardly varies, and what it does says nothing; a law that the runs determine has
// told the two apart.
void collinear(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  std::vector<std::string> variants;
  for (const analysis::LawFit& fit : g.fits)
    if (kept_for_later(fit) && fit.points.size() > 2 && !(fit.result.identified && fit.verdict.undetermined.empty()) &&
        std::abs(analysis::collinearity(fit.points)) > 0.9 &&
        std::find(variants.begin(), variants.end(), fit.variant) == variants.end())
      variants.push_back(fit.variant);
  if (!variants.empty())
    out.push_back(fmt::format("Parameters and tokens move together for {}: their effects cannot be told apart.",
                              listed_variants(g, variants)));
}

// Tuned at a cell: several learning rates were measured there.
void untuned_rate(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  std::set<double> rates;
  bool tuned = true;
  for (const size_t c : g.table.chosen) {
    const analysis::ReportCell& cell = g.table.cells[c];
    std::set<double> here;
    for (const analysis::ReportCell& other : g.table.cells)
      if (other.variant == cell.variant && other.size_class == cell.size_class &&
          other.budget_class == cell.budget_class && other.lr)
        here.insert(*other.lr);
    if (here.empty()) return;  // not known
    if (here.size() < 2) tuned = false;
    rates.insert(here.begin(), here.end());
  }
  if (tuned || g.table.chosen.size() < 2) return;
  std::string which = rates.size() == 1
                          ? fmt::format("every run used {}", render::format_significant(*rates.begin(), 2))
                          : std::string("not every size and budget was tried at several");
  out.push_back(fmt::format(
      "Learning rate not tuned per size: {}. Part of a difference between sizes or variants may be tuning.", which));
}

void chosen_rate(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  const auto several =
      std::count_if(g.table.alternatives.begin(), g.table.alternatives.end(), [](int n) { return n > 1; });
  if (several > 0)
    out.push_back(
        fmt::format("At {} several settings were measured; relations and fits use the one with the lowest final "
                    "loss, which flatters it a little.",
                    render::plural(several, "size and budget", "sizes and budgets")));
}

void repeated_data(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  int64_t count = 0;
  double most = 0;
  for (const analysis::ReportCell& cell : g.table.cells)
    if (cell.epochs && *cell.epochs > 1) ++count, most = std::max(most, *cell.epochs);
  if (count > 0)
    out.push_back(
        fmt::format("Repeated data: {} more than once over the training text (up to {} times). Repeated tokens are "
                    "worth less than new ones.",
                    count == 1 ? "one configuration goes" : fmt::format("{} configurations go", count),
                    render::format_significant(most, 2)));
}

// Beyond about four passes new tokens are worth little (Muennighoff et al. 2023): the text is learned by heart.
constexpr double kManyEpochs = 4;

double most_epochs(const analysis::GroupAnalysis& g) {
  double most = 0;
  for (const analysis::ReportCell& cell : g.table.cells) most = std::max(most, cell.epochs.value_or(0));
  return most;
}

std::string epochs_brief(const analysis::ReportInput&, const analysis::GroupAnalysis& g) {
  return fmt::format("up to {} epochs", render::format_significant(most_epochs(g), 2));
}

void many_epochs(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, Texts& out) {
  if (most_epochs(g) > kManyEpochs)
    out.push_back(
        fmt::format("Many epochs: {} over the training text, where more than about four teach a model its text by "
                    "heart. What is lower "
                    "here may be what remembers better.",
                    epochs_brief(input, g)));
}

// Below it the loss moves by more than a per cent with the choice of the text.
constexpr int64_t kFewValidationTokens = 10'000;

std::string validation_brief(const analysis::ReportInput&, const analysis::GroupAnalysis& g) {
  return render::plural(g.dataset->val_tokens, "token of validation text", "tokens of validation text");
}

void small_validation(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, Texts& out) {
  if (g.dataset != nullptr && g.dataset->val_tokens > 0 && g.dataset->val_tokens < kFewValidationTokens)
    out.push_back(fmt::format("Tiny validation text: {}. Another few lines of the text might put other variants first.",
                              validation_brief(input, g)));
}

void short_runs(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  double most = 0;
  for (const analysis::ReportCell& cell : g.table.cells)
    if (cell.size_class + 1 == g.table.sizes.size() && cell.params > 0)
      most = std::max(most, cell.tokens / cell.params);
  if (most > 0 && most < kTokensPerParameter)
    out.push_back(
        fmt::format("Short runs: the largest models saw at most {} tokens a parameter, where compute-optimal training "
                    "of ordinary models takes about {}. Longer training may change the order.",
                    render::format_significant(most, 2), kTokensPerParameter));
}

void unknown_bytes(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  if (g.dataset == nullptr || g.dataset->unknown_bytes == 0) return;
  out.push_back(fmt::format(
      "Unknown bytes: {} of {} are outside the vocabulary of {} ({}) and one symbol to it.",
      format_thousands(g.dataset->unknown_bytes), format_thousands(g.dataset->bytes), g.dataset->tokenizer,
      g.dataset->bytes > 0
          ? render::format_significant(
                100.0 * static_cast<double>(g.dataset->unknown_bytes) / static_cast<double>(g.dataset->bytes), 2) +
                " %"
          : "of an unknown total"));
}

constexpr double kOverfitted = 0.05;  // a rise of the loss above its best

int64_t overfitted_cells(const analysis::GroupAnalysis& g) {
  return std::count_if(g.table.cells.begin(), g.table.cells.end(), [](const analysis::ReportCell& cell) {
    return cell.final_bpc.mean - cell.best_bpc.mean > kOverfitted;
  });
}

std::string overfitted_brief(const analysis::ReportInput&, const analysis::GroupAnalysis& g) {
  return fmt::format("{} of {} configurations ended more than {} above their best loss", overfitted_cells(g),
                     g.table.cells.size(), kOverfitted);
}

void overfitted(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, Texts& out) {
  if (4 * overfitted_cells(g) >= static_cast<int64_t>(g.table.cells.size()) && overfitted_cells(g) > 0)
    out.push_back(fmt::format("Overfitting: {}. Their final losses say when they were stopped, and not what they can.",
                              overfitted_brief(input, g)));
}

void worse_at_the_end(const analysis::ReportInput&, const analysis::GroupAnalysis& g, Texts& out) {
  int64_t count = 0;
  double most = 0;
  for (const analysis::ReportCell& cell : g.table.cells) {
    const double rise = cell.final_bpc.mean - cell.best_bpc.mean;
    if (rise > 0.01) ++count, most = std::max(most, rise);
  }
  if (count > 0)
    out.push_back(fmt::format(
        "{} ended above {} best loss, by up to {}: overfitting or unstable training. Relations use the final loss.",
        count == 1 ? "One configuration" : fmt::format("{} configurations", count), count == 1 ? "its" : "their",
        render::format_bpc(most)));
}

void mixed_machines(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, Texts& out) {
  std::set<std::string> devices;
  for (const size_t r : g.usable)
    if (const std::string device = string_or(input.runs[r].start, "device", ""); !device.empty())
      devices.insert(device.substr(0, device.find(':')));
  if (devices.size() > 1)
    out.push_back(fmt::format("Runs were made on {}: their times and tokens per second are not comparable.",
                              listed({devices.begin(), devices.end()})));
}

// Of runs that ended some way, how many.
int64_t count_of(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                 bool (*ended_so)(const std::string& reason)) {
  return std::count_if(g.group.runs.begin(), g.group.runs.end(), [&](size_t r) {
    const std::string reason = exclusion_reason(input.runs[r].row);
    return !reason.empty() && ended_so(reason);
  });
}

void stopped_runs(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, Texts& out) {
  const int64_t n = count_of(input, g, [](const std::string& reason) { return reason == "stopped early"; });
  if (n > 0)
    out.push_back(
        fmt::format("Left out of every comparison and fit: {} stopped early. A loss before the end of the schedule is "
                    "no loss at the "
                    "end of a shorter one.",
                    render::plural(n, "run", "runs")));
}

void diverged_runs(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, Texts& out) {
  const int64_t n = count_of(input, g, [](const std::string& reason) { return reason == "diverged"; });
  if (n > 0)
    out.push_back(fmt::format(
        "Left out of every comparison and fit: {} diverged. Where the settings that fail are the bold ones, "
        "what is left looks too good.",
        n));
}

void unfinished_runs(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, Texts& out) {
  std::map<std::string, int64_t> reasons;
  for (const size_t r : g.group.runs) {
    const std::string reason = exclusion_reason(input.runs[r].row);
    if (!reason.empty() && reason != "not begun" && reason != "stopped early" && reason != "diverged")
      ++reasons[reason];
  }
  std::vector<std::string> parts;
  for (const auto& [reason, n] : reasons) parts.push_back(fmt::format("{} {}", n, reason));
  if (!parts.empty())
    out.push_back(fmt::format(
        "Left out of every comparison and fit: {}. Where the runs that fail are the hard ones, what is left "
        "looks too good.",
        listed(parts)));
}

std::string untuned_brief(const analysis::ReportInput&, const analysis::GroupAnalysis&) {
  return "learning rates that were not tuned for each size and variant";
}

std::string equal_tokens_brief(const analysis::ReportInput&, const analysis::GroupAnalysis&) {
  return "equal tokens that are different amounts of text";
}

std::string collinear_brief(const analysis::ReportInput&, const analysis::GroupAnalysis&) {
  return "parameters and tokens that move together";
}

std::string diverged_brief(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  return render::plural(count_of(input, g, [](const std::string& reason) { return reason == "diverged"; }),
                        "run that diverged", "runs that diverged");
}

}  // namespace

const std::vector<Rule>& group_rules() {
  using analysis::kLaw, analysis::kWinner;
  static const std::vector<Rule> kRules = {
      {"few-sizes", "a variant has fewer than four sizes", few_sizes},
      {"few-budgets", "there are one or two token budgets", few_budgets},
      {"equal-tokens", "two tokenizers are compared at equal tokens, not at equal bytes of text", equal_tokens, kWinner,
       equal_tokens_brief},
      {"one-seed", "some configuration was measured at one seed", one_seed},
      {"unlabelled-repeats", "runs agree in every known setting and have no seed", unlabelled_repeats},
      {"collinear-size-and-tokens", "log N and log D of a variant correlate beyond 0.9, and its law is not determined",
       collinear, kLaw, collinear_brief},
      {"untuned-rate", "the learning rate was not tried at several values at every size and budget", untuned_rate,
       kWinner, untuned_brief},
      {"chosen-setting", "the best of several settings stands for its size and budget", chosen_rate},
      {"repeated-data", "a run passes its training text more than once", repeated_data},
      {"many-epochs", "a run passes its training text more than four times", many_epochs, kWinner | kLaw, epochs_brief},
      {"small-validation", "the validation text has fewer than 10,000 tokens", small_validation, kWinner | kLaw,
       validation_brief},
      {"short-runs", "the largest models saw fewer than 20 tokens a parameter", short_runs},
      {"ended-above-best", "a final loss lies more than 0.01 above the run's best", worse_at_the_end},
      {"overfitting", "a quarter of the configurations ended more than 0.05 above their best", overfitted,
       kWinner | kLaw, overfitted_brief},
      {"unknown-bytes", "the text has bytes outside the vocabulary", unknown_bytes},
      {"confounded", "the two sides of a comparison differ in more than one factor", confounded},
      {"unmatched-sizes", "two sizes share no token budget", unmatched_sizes},
      {"equal-steps", "runs of equal steps differ in tokens", equal_steps},
      {"unequal-batches", "one batch against another at unequal tokens", unequal_batches},
      {"several-builds", "the runs of a variant, or the variants, were made by several builds of the code",
       several_builds},
      {"mixed-machines", "runs were made on several kinds of device", mixed_machines},
      {"stopped-runs", "a run was stopped early", stopped_runs},
      {"diverged-runs", "a run diverged", diverged_runs, kWinner, diverged_brief},
      {"unfinished-runs", "a run ended otherwise without a final loss", unfinished_runs},
  };
  return kRules;
}

std::vector<Remark> group_remarks(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  std::vector<Remark> remarks;
  if (g.table.cells.empty()) return remarks;
  for (const Rule& rule : group_rules()) {
    std::vector<render::Text> said;
    rule.says(input, g, said);
    for (render::Text& text : said) remarks.push_back({rule.name, std::move(text)});
  }
  return remarks;
}

std::vector<analysis::Doubt> group_doubts(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  std::vector<analysis::Doubt> doubts;
  if (g.table.cells.empty()) return doubts;
  for (const Rule& rule : group_rules()) {
    std::vector<render::Text> said;
    if (rule.takes_back != 0) rule.says(input, g, said);
    if (!said.empty()) doubts.push_back({rule.name, rule.brief(input, g), rule.takes_back});
  }
  return doubts;
}

std::vector<Remark> comparability_remarks(const analysis::Analysis& analysis) {
  std::vector<Remark> remarks;
  std::vector<query::Asked> asked;
  for (const analysis::GroupAnalysis& g : analysis.groups) asked.push_back(g.group.asked);
  const std::vector<std::string> asked_otherwise = query::asked_differences(asked);
  for (size_t k = 0; k < query::comparability_rules().size(); ++k) {
    std::vector<std::string> values;
    for (const analysis::GroupAnalysis& g : analysis.groups) {
      std::string value = g.group.values[k].empty() ? "not known" : g.group.values[k];
      if (!g.group.asked.empty() && query::comparability_rules()[k].name == std::string_view("asked"))
        value = query::asked_text(g.group.asked, asked_otherwise);  // all of it fills a page
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
    if (values.size() < 2) continue;
    const query::ComparabilityRule& rule = query::comparability_rules()[k];
    remarks.push_back({rule.name, fmt::format("{} ({})", rule.what, listed(values))});
  }
  return remarks;
}

}  // namespace bitsweep::report
