#include "analysis/decision.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "fit/surface.h"

namespace bitsweep::analysis {
namespace {

constexpr double kAsMuch = 1.2;         // times the compute of the largest run: no more than it
constexpr double kSignificant = 0.05;   // of Holm's p
constexpr size_t kEnoughOfOneSign = 6;  // comparisons with one seed a side: by chance alone in one of 32
constexpr double kConfidence = 0.95;
constexpr size_t kSizesOfALaw = 4, kBudgetsOfALaw = 3;
constexpr double kAnotherSize = 2, kMoreTokens = 2, kAnotherRate = 2;  // factors

const LawFit* law_of_all(const GroupAnalysis& g, const std::string& variant) {
  const LawFit* found = nullptr;
  for (const LawFit& fit : g.fits)
    if (fit.variant == variant && kept_for_later(fit) &&
        (found == nullptr || (!found->result.identified && fit.result.identified)))
      found = &fit;
  return found;
}

Trust trust_of(const LawFit* fit) {
  Trust trust;
  if (fit == nullptr) return trust;
  trust.fitted = fit->drawable();
  trust.determined = fit->drawable() && fit->result.identified;
  trust.residual_sd = fit->result.residual_sd;
  trust.noise_sd = fit->result.noise_sd;
  trust.inadequacy = fit->verdict.inadequacy();
  trust.undetermined = fit->verdict.undetermined;
  trust.determined = trust.determined && trust.undetermined.empty();
  trust.a_opt = fit->result.a_opt;
  if (const auto range = fit->result.intervals.find("a_opt"); range != fit->result.intervals.end())
    trust.a_opt_interval = range->second;
  if (const auto& held = fit->verdict.adequacy.held_out) {
    trust.held_out = held->runs.size();
    trust.held_out_inside =
        static_cast<size_t>(std::count_if(held->runs.begin(), held->runs.end(), [](auto& r) { return r.inside(); }));
    trust.held_out_error = held->root_mean_square_error;
  }
  if (!fit->result.refused.empty())
    trust.why_not = fit->result.refused.front();
  else if (!trust.undetermined.empty())
    trust.why_not = trust.undetermined.front();
  return trust;
}

std::optional<fit::Interval> interval_at(const LawFit& fit, double params, double tokens) {
  if (!fit.result.surface) return std::nullopt;
  fit::Target target;
  target.params = params, target.tokens = tokens, target.variant = fit.variant;
  target.dataset = fit.points.front().dataset;
  return forecast(*fit.result.surface, {target}, kConfidence).front().interval;
}

// At equal size and tokens: who ends lower wherever they meet, beyond what seeds do, or in so many places that chance
// does not do it. Comparisons that differ in more than the variant do not count.
Winner by_params(const GroupAnalysis& g, const std::vector<Doubt>& doubts) {
  Winner winner;
  struct Met {
    size_t times = 0;
    double least = HUGE_VAL;
    bool always = true, beyond_seeds = true;
    bool wins() const { return always && (beyond_seeds || times >= kEnoughOfOneSign); }
  };
  std::map<std::string, std::map<std::string, Met>> lower;  // first is lower than second
  size_t clean = 0, with_interval = 0;
  for (const VariantComparison& gap : g.variant_comparisons) {
    if (!gap.also.empty()) continue;
    ++clean;
    with_interval += gap.p_holm.has_value();
    const std::string &a = g.table.cells[gap.a].variant, &b = g.table.cells[gap.b].variant;
    for (const bool second : {false, true}) {
      Met& met = lower[second ? b : a][second ? a : b];
      const double gain = second ? -gap.change.mean : gap.change.mean;
      ++met.times;
      met.least = std::min(met.least, gain);
      met.always = met.always && gain > 0;
      met.beyond_seeds = met.beyond_seeds && gap.p_holm.value_or(1) < kSignificant;
    }
  }
  for (const Doubt& doubt : doubts)
    if (doubt.takes_back & kWinner) winner.in_the_way.push_back(doubt.brief);
  if (g.variant_comparisons.empty()) winner.in_the_way.emplace_back("no two variants share a size and a budget");
  if (!g.variant_comparisons.empty() && clean == 0)
    winner.in_the_way.emplace_back("every comparison differs in other settings too");
  if (!winner.in_the_way.empty()) return winner;
  for (const auto& [variant, met] : lower) {
    if (!std::all_of(met.begin(), met.end(), [](const auto& m) { return m.second.wins(); })) continue;
    winner.variant = variant;
    double least = HUGE_VAL;
    for (const auto& [other, m] : met) {
      winner.others.push_back(other);
      least = std::min(least, m.least);
      winner.comparisons += m.times;
    }
    winner.by = least;
    return winner;
  }
  winner.in_the_way.emplace_back(with_interval == 0
                                     ? "one seed a side, and no difference of one sign in six places or more"
                                     : "the differences are within what seeds do, or change sign");
  return winner;
}

// By what a byte or a FLOP of each variant is worth beside one of the reference.
Winner by_worth(const GroupAnalysis& g, Equal equal, const std::vector<Doubt>& doubts) {
  Winner winner;
  winner.equal = equal;
  for (const Doubt& doubt : doubts) winner.in_the_way.push_back(doubt.brief);
  if (!g.parameter_value || g.parameter_value->rows.empty())
    winner.in_the_way.emplace_back("no law through all variants is determined");
  if (!winner.in_the_way.empty()) return winner;
  const ParameterValueRow* best = nullptr;
  const ParameterValueRow* second = nullptr;
  // Where no run says its FLOPs, a parameter of each costs the same (6 N D).
  const bool counted = std::any_of(g.parameter_value->rows.begin(), g.parameter_value->rows.end(),
                                   [](const ParameterValueRow& row) { return row.cost.flops.has_value(); });
  const auto worth = [&](const ParameterValueRow& row) {
    return equal == Equal::bytes ? row.per_byte : counted ? row.per_flop : std::optional(row.eff);
  };
  for (const ParameterValueRow& row : g.parameter_value->rows) {
    if (!worth(row)) {
      winner.in_the_way.emplace_back(equal == Equal::bytes ? "not every variant says its stored bytes"
                                                           : "not every variant says its FLOPs");
      return winner;
    }
    if (best == nullptr || *worth(row) > *worth(*best)) {
      second = best;
      best = &row;
    } else if (second == nullptr || *worth(row) > *worth(*second)) {
      second = &row;
    }
  }
  if (second == nullptr) return winner;
  // The ends of eff's intervals, in the same measure; the reference has none.
  const auto end = [&](const ParameterValueRow& row, bool low) {
    const double eff = row.interval ? (low ? row.interval->first : row.interval->second) : row.eff;
    return *worth(row) * eff / row.eff;
  };
  if (!(end(*best, true) > end(*second, false))) {
    winner.in_the_way.push_back("the intervals of " + best->variant + " and " + second->variant + " overlap");
    return winner;
  }
  winner.variant = best->variant;
  winner.others.push_back(second->variant);
  winner.by = *worth(*best) / *worth(*second);
  return winner;
}

const ReportCell* largest_cell(const GroupAnalysis& g, const std::string& variant) {
  const ReportCell* largest = nullptr;
  for (const size_t c : g.table.chosen) {
    const ReportCell& cell = g.table.cells[c];
    if (cell.variant == variant && (largest == nullptr || training_flops(cell) > training_flops(*largest)))
      largest = &cell;
  }
  return largest;
}

// The variant to go on with: the winner, else the one of the lowest loss.
std::string leading_variant(const GroupAnalysis& g, const std::vector<Winner>& winners) {
  for (const Winner& winner : winners)
    if (!winner.variant.empty()) return winner.variant;
  const ReportCell* best = nullptr;
  for (const ReportCell& cell : g.table.cells)
    if (best == nullptr || cell.final_bpc.mean < best->final_bpc.mean) best = &cell;
  return best != nullptr ? best->variant : "";
}

// Time by the speed of a measured run: hours go with FLOPs.
void cost_like(Decision& decision, const ReportCell& like) {
  if (!decision.params || !decision.tokens || !(like.params > 0) || !(like.tokens > 0)) return;
  const double ratio = *decision.params * *decision.tokens / (like.params * like.tokens);
  decision.cost_flops = training_flops(like) * ratio;
  if (like.wall_s && *like.wall_s > 0) decision.cost_hours = *like.wall_s * ratio / 3600;
}

// By the laws of rate and batch where there are, else as the largest run had them.
void settings_like(Decision& decision, const GroupAnalysis& g, const ReportCell& like) {
  decision.lr = like.lr;
  decision.batch = like.batch;
  for (const SettingLaw& law : g.setting_laws) {
    if (law.variant != decision.variant) continue;
    if (law.lr) decision.lr = law.lr->at(*decision.params, *decision.tokens).value;
    if (law.batch) decision.batch = std::max(1.0, std::round(law.batch->at(*decision.params, *decision.tokens).value));
  }
}

bool take_next_runs(Decision& decision, const ReportInput& input, const GroupAnalysis& g, const ReportCell& like) {
  for (const NextRuns& next : input.next) {
    if (next.group != g.group.label || next.variant != decision.variant || next.batch.empty()) continue;
    // The run that takes most in its turn: the batch begins with the one that takes most per cost, which is often a
    // small one.
    const NextRun& run = *std::max_element(next.batch.begin(), next.batch.end(),
                                           [](const NextRun& a, const NextRun& b) { return a.takes < b.takes; });
    decision.purpose = Purpose::narrow;
    decision.next = &next;
    decision.params = run.params, decision.tokens = run.tokens;
    settings_like(decision, g, like);
    cost_like(decision, like);
    (next.hours ? decision.cost_hours : decision.cost_flops) = run.cost;
    decision.now = next.now;
    decision.leaves = next.batch.back().leaves;
    const LawFit* fit = law_of_all(g, decision.variant);
    if (next.leans_on_prior.empty() && run.expected) {
      decision.loss = run.expected;
      if (fit != nullptr) decision.interval = interval_at(*fit, run.params, run.tokens);
    }
    return true;
  }
  return false;
}

bool take_plan(Decision& decision, const ReportInput& input, const GroupAnalysis& g, const ReportCell& like) {
  for (const TargetPlan& plan : input.plans) {
    if (plan.group != g.group.label || plan.variant != decision.variant || !plan.refused.empty()) continue;
    decision.purpose = Purpose::target;
    decision.params = plan.params, decision.tokens = plan.tokens;
    decision.cost_hours = plan.hours;
    if (plan.flops > 0) decision.cost_flops = plan.flops;
    settings_like(decision, g, like);
    for (const LawFit& fit : g.fits)
      for (const fit::Prediction& p : fit.result.predictions)
        if (fit.variant == plan.variant && kept_for_later(fit) && p.interval && p.target.params == plan.target.params &&
            p.target.tokens == plan.target.tokens) {
          decision.loss = p.expected ? p.expected : p.loss;
          decision.interval = p.interval;
        }
    return true;
  }
  return false;
}

// The largest budget of which something is said beyond what was run: by minima of runs, or by a law that they
// determine. Where they do not determine it, no more compute than was spent on one run yet.
bool take_division(Decision& decision, const GroupAnalysis& g, const ReportCell& like) {
  for (const ComputeOptimum& optimum : g.optima) {
    if (optimum.variant != decision.variant) continue;
    const BudgetRow* best = nullptr;
    const auto can_be_run = [&](const BudgetRow& row) {
      return !like.shape_given || std::max(row.best.params / like.params, like.params / row.best.params) < kSameSize;
    };
    for (const BudgetRow& row : optimum.rows)
      if (row.refused.empty() && can_be_run(row) && row.basis != frontier::Basis::measured && row.loss_interval &&
          (row.basis != frontier::Basis::law || decision.trust.determined ||
           row.flops < kAsMuch * optimum.largest_flops) &&
          (best == nullptr || row.flops > best->flops))
        best = &row;
    if (best == nullptr) return false;
    decision.purpose = Purpose::divide;
    decision.params = best->best.params, decision.tokens = best->best.tokens;
    decision.basis = best->basis;
    decision.leans_on = best->note;
    decision.cost_flops = best->flops;
    decision.cost_hours = best->hours;
    decision.loss = best->best.loss;
    decision.interval = best->loss_interval;
    settings_like(decision, g, like);
    return true;
  }
  return false;
}

// What the largest run will measure again, where the scatter of runs is known.
void foretell_repetition(Decision& decision, const GroupAnalysis& g) {
  for (const ComputeOptimum& optimum : g.optima)
    for (const BudgetRow& row : optimum.rows)
      if (optimum.variant == decision.variant && row.basis == frontier::Basis::measured && row.loss_interval &&
          row.best.params == decision.params && row.best.tokens == decision.tokens)
        decision.loss = row.best.loss, decision.interval = row.loss_interval;
}

// No law speaks: the one run that would help most.
void take_missing(Decision& decision, const GroupAnalysis& g, const ReportCell& like,
                  const std::vector<Doubt>& doubts) {
  decision.params = like.params, decision.tokens = like.tokens;
  settings_like(decision, g, like);
  const auto doubted = [&](const char* rule) {
    return std::any_of(doubts.begin(), doubts.end(), [&](const Doubt& d) { return d.rule == rule; });
  };
  if (decision.sizes < kSizesOfALaw && !like.shape_given) {
    decision.purpose = Purpose::sizes;
    decision.params = kAnotherSize * like.params;
  } else if (decision.budgets < kBudgetsOfALaw) {
    decision.purpose = Purpose::budgets;
    decision.tokens = kMoreTokens * like.tokens;
  } else if (doubted("untuned-rate") && like.lr) {
    decision.purpose = Purpose::tune;
    decision.lr = kAnotherRate * *like.lr;
  } else {
    decision.purpose = Purpose::seed;
    foretell_repetition(decision, g);
  }
  cost_like(decision, like);
}

}  // namespace

Decision decide(const ReportInput& input, const Analysis& analysis, size_t group, const std::vector<Doubt>& doubts) {
  const GroupAnalysis& g = analysis.groups[group];
  Decision decision;
  decision.group = group;
  decision.finished = g.usable.size();
  if (g.table.cells.empty()) return decision;
  std::vector<Doubt> against;  // what takes a winner back
  for (const Doubt& doubt : doubts) {
    if (doubt.takes_back & kWinner) against.push_back(doubt);
    if (doubt.takes_back & kLaw) decision.law_doubts.push_back(doubt);
  }
  if (g.table.variants.size() > 1)
    decision.winners = {by_params(g, against), by_worth(g, Equal::bytes, against), by_worth(g, Equal::flops, against)};
  decision.variant = leading_variant(g, decision.winners);
  std::set<size_t> sizes, budgets;
  for (const size_t c : g.table.chosen) {
    const ReportCell& cell = g.table.cells[c];
    if (cell.variant == decision.variant) sizes.insert(cell.size_class), budgets.insert(cell.budget_class);
  }
  decision.sizes = sizes.size(), decision.budgets = budgets.size();
  decision.repeated = std::any_of(g.table.cells.begin(), g.table.cells.end(),
                                  [](const ReportCell& cell) { return cell.runs.size() > 1; });
  decision.trust = trust_of(law_of_all(g, decision.variant));
  const ReportCell* like = largest_cell(g, decision.variant);
  if (like == nullptr) return decision;
  decision.shape_given = like->shape_given;
  // What is in doubt says where to measure, and not what a budget buys. Divisions start from runs, with a law or
  // without.
  const bool lawful = decision.law_doubts.empty();
  if (take_next_runs(decision, input, g, *like)) return decision;
  if (lawful && (take_plan(decision, input, g, *like) || take_division(decision, g, *like))) return decision;
  take_missing(decision, g, *like, doubts);
  return decision;
}

}  // namespace bitsweep::analysis
