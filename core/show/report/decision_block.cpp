#include "report/decision_block.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"
#include "render/format.h"
#include "report/findings.h"
#include "report/rules.h"

namespace bitsweep::report {
namespace {

using analysis::Decision;
using analysis::Purpose;
using analysis::Winner;
using render::Text;

constexpr size_t kMostSets = 8;  // in the opening table

const char* purpose_name(Purpose purpose) {
  switch (purpose) {
    case Purpose::nothing:
      return "nothing";
    case Purpose::narrow:
      return "narrow";
    case Purpose::target:
      return "target";
    case Purpose::divide:
      return "divide";
    case Purpose::sizes:
      return "another size";
    case Purpose::budgets:
      return "another length";
    case Purpose::tune:
      return "another learning rate";
    case Purpose::seed:
      return "another seed";
  }
  return "nothing";
}

const char* equal_name(analysis::Equal equal) {
  return equal == analysis::Equal::params ? "parameters" : equal == analysis::Equal::bytes ? "stored bytes" : "FLOPs";
}

std::string run_text(const Decision& d) {
  std::string text = d.variant;
  if (d.params && *d.params > 0) text += fmt::format(" with {} parameters", format_count(*d.params));
  if (d.tokens && *d.tokens > 0) text += fmt::format(" on {} tokens", format_count(*d.tokens));
  std::vector<std::string> settings;
  if (d.lr) settings.push_back("learning rate " + render::format_significant(*d.lr, 2));
  if (d.batch) settings.push_back("batch " + format_count(*d.batch));
  if (!settings.empty()) text += ", " + listed(settings);
  return text;
}

std::string cost_text(const Decision& d) {
  if (d.cost_hours)
    return format_duration(3600 * *d.cost_hours) +
           (d.cost_flops ? " (" + render::format_significant(*d.cost_flops, 2) + " FLOPs)" : "");
  return d.cost_flops ? render::format_significant(*d.cost_flops, 2) + " FLOPs" : "not known";
}

std::string interval_text(const fit::Interval& interval) {
  return render::format_bpc(interval.first) + " to " + render::format_bpc(interval.second);
}

std::string loss_text(const analysis::GroupAnalysis& g, const Decision& d) {
  if (!d.loss) return "no loss can be foretold for it";
  return fmt::format("expect {}", in_loss_unit(g, render::format_bpc(*d.loss))) +
         (d.interval ? fmt::format(" (95 % interval {})", interval_text(*d.interval)) : " (no interval can be given)");
}

std::string narrow_text(const Decision& d) {
  const bool alone = d.next->batch.size() == 1;
  std::string text = fmt::format("Of {} candidates {} the prediction at {} most{}", d.next->candidates,
                                 alone ? "it narrows" : fmt::format("{} were chosen that narrow", d.next->batch.size()),
                                 fit::place_name(d.next->target.params, d.next->target.tokens),
                                 alone ? "" : ", and this one does most of it");
  if (d.now && d.leaves)
    text += fmt::format(": its 95 % interval goes from ± {} to ± {}{}", render::format_significant(*d.now, 2),
                        render::format_significant(*d.leaves, 2), alone ? "" : " with all of them");
  return text;
}

std::string why_text(const Decision& d) {
  switch (d.purpose) {
    case Purpose::nothing:
      return "No run has finished: nothing can be said yet";
    case Purpose::narrow:
      if (!d.next->leans_on_prior.empty())
        return fmt::format("The runs do not determine the law of {}, and this one tells most about it per cost",
                           d.variant);
      return narrow_text(d);
    case Purpose::target:
      return "It is what was asked for, and nothing that is known of the runs speaks against it";
    case Purpose::divide:
      return fmt::format("Of all sizes that this much compute can train, this one is expected to end lowest: {}{}",
                         d.basis == frontier::Basis::measured ? "it is the best run there is"
                         : d.basis == frontier::Basis::isoflop
                             ? "by the best sizes of runs of equal compute"
                             : "the best size of the largest budget that was run, made "
                               "larger as the law says",
                         d.leans_on.empty() ? "" : "; " + d.leans_on);
    case Purpose::sizes:
      return fmt::format("{} of {} {} measured, and a law in size needs four: twice the largest helps most",
                         render::plural(static_cast<int64_t>(d.sizes), "size", "sizes"), d.variant,
                         d.sizes == 1 ? "was" : "were");
    case Purpose::budgets:
      return fmt::format(
          "{} of {} {} measured, and a law in tokens needs three: twice the tokens{} help most{}",
          render::plural(static_cast<int64_t>(d.budgets), "length of training", "lengths of training"), d.variant,
          d.budgets == 1 ? "was" : "were", d.shape_given ? "" : " at the largest size",
          d.shape_given ? "; what starts from a run's weights keeps its shape, so that no other size can be run" : "");
    case Purpose::tune:
      return "The learning rate was not tuned at the largest size, and that may be part of every difference";
    case Purpose::seed:
      return "It is the largest run once more with another seed: the runs do not determine how a larger budget is best "
             "divided, and what is noise must be known before more are chosen for that";
  }
  return "";
}

std::vector<std::string> briefs(const std::vector<analysis::Doubt>& doubts) {
  std::vector<std::string> texts;
  for (const analysis::Doubt& doubt : doubts) texts.push_back(doubt.brief);
  return texts;
}

constexpr size_t kFewHeldOut = 5;  // of fewer, all inside says little of 95 in 100

std::string held_out_text(const analysis::Trust& t) {
  if (t.held_out == 0) return "";
  return fmt::format(
      "; of the {} runs of most compute, predicted from the others, {} fell within their intervals, the fitted curve "
      "alone missed them by {:.1f} % (rms){}",
      t.held_out, t.held_out_inside, 100 * t.held_out_error,
      t.held_out < kFewHeldOut ? ", and they are few to judge by" : "");
}

std::string law_text(const Decision& d) {
  const analysis::Trust& t = d.trust;
  if (!d.law_doubts.empty()) return "not to be trusted: " + listed(briefs(d.law_doubts));
  if (!t.fitted) return "there is none" + (t.why_not.empty() ? "" : ": " + t.why_not);
  if (!t.determined) return "not determined by the runs" + (t.why_not.empty() ? "" : ": " + t.why_not);
  std::string text = t.inadequacy.empty()
                         ? "determined by the runs, and nothing in them speaks against it"
                         : "determined by the runs, but it misses some of them: " + t.inadequacy.front();
  if (t.a_opt_interval)
    text += fmt::format("; the best size grows as compute to the power of {} ({} to {})",
                        render::format_significant(*t.a_opt, 2), render::format_significant(t.a_opt_interval->first, 2),
                        render::format_significant(t.a_opt_interval->second, 2));
  return text;
}

std::string trust_text(const Decision& d) { return law_text(d) + held_out_text(d.trust); }

std::string winner_text(const analysis::GroupAnalysis& g, const Winner& w) {
  if (w.variant.empty()) return "no winner can be named (" + fmt::format("{}", fmt::join(w.in_the_way, "; ")) + ")";
  if (w.equal == analysis::Equal::params)
    return fmt::format("{}, lower than {} by {} or more in all {}", w.variant, listed(w.others),
                       in_loss_unit(g, render::format_bpc(w.by)),
                       render::plural(static_cast<int64_t>(w.comparisons), "comparison", "comparisons"));
  return fmt::format("{}, of which one is worth {} of {}'s", w.variant, render::format_significant(*w.by, 2),
                     listed(w.others));
}

// At equal parameters, bytes and FLOPs; those that nothing can be said of for one reason together.
std::vector<std::pair<std::string, std::string>> winner_texts(const analysis::GroupAnalysis& g, const Decision& d) {
  std::vector<std::pair<std::vector<std::string>, std::string>> grouped;
  for (const Winner& w : d.winners) {
    std::string text = winner_text(g, w);
    const char* what = w.equal == analysis::Equal::params ? g.table.measure.sizes() : equal_name(w.equal);
    const auto same = [&](const auto& known) { return known.second == text; };
    const auto known = std::find_if(grouped.begin(), grouped.end(), same);
    if (known != grouped.end())
      known->first.emplace_back(what);
    else
      grouped.push_back({{what}, std::move(text)});
  }
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [equals, text] : grouped) out.emplace_back("At equal " + listed(equals), text);
  return out;
}

std::vector<std::string> would_change(const Decision& d) {
  std::vector<std::string> changes;
  if (d.purpose == Purpose::nothing) return {"any run that finishes"};
  if (d.interval)
    changes.push_back(fmt::format("a loss outside of {}, where one run in 20 ends even if all of this is right",
                                  interval_text(*d.interval)));
  else if (d.purpose == Purpose::sizes || d.purpose == Purpose::budgets || d.purpose == Purpose::narrow)
    changes.emplace_back("what the run measures: with it a law may be told");
  for (const Winner& w : d.winners)
    if (w.equal == analysis::Equal::params && !w.variant.empty())
      changes.push_back(fmt::format("a fair run in which {} is not the lower one", w.variant));
    else if (w.equal == analysis::Equal::params)
      changes.emplace_back("comparisons without what stands in the way of naming a winner");
  if (!d.repeated)
    changes.emplace_back(
        d.winners.empty() ? "a second seed of the largest run, if it ends further off than runs scatter about the law"
                          : "a second seed of the best run, if it differs by more than the variants do");
  if (changes.empty()) changes.emplace_back("another seed or learning rate that ends lower");
  return changes;
}

Text item(const std::string& title, const std::string& text) { return Text().strong(title + ":") << " " + text + "."; }

// Groups by how much was run, the largest first.
std::vector<const Decision*> by_runs(const std::vector<Decision>& decisions) {
  std::vector<const Decision*> order;
  for (const Decision& d : decisions) order.push_back(&d);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->finished > b->finished; });
  return order;
}

std::string short_winner(const Decision& d) {
  if (d.winners.empty()) return render::kNothing;
  return d.winners[0].variant.empty() ? "none can be named" : d.winners[0].variant;
}

std::vector<render::Block> sets_block(const analysis::Analysis& analysis, const std::vector<Decision>& decisions) {
  render::Table t{{{"set"}, {"run next"}, {"cost"}, {"expect"}, {"the law"}, {"lower at equal size"}}, {}};
  const std::vector<const Decision*> order = by_runs(decisions);
  for (size_t k = 0; k < std::min(order.size(), kMostSets); ++k) {
    const Decision& d = *order[k];
    const analysis::GroupAnalysis& g = analysis.groups[d.group];
    const bool run = d.purpose != Purpose::nothing;
    t.rows.push_back({g.group.label, run ? run_text(d) : render::kNothing, run ? cost_text(d) : render::kNothing,
                      d.loss ? render::format_bpc(*d.loss) + (d.interval ? " (" + interval_text(*d.interval) + ")" : "")
                             : render::kNothing,
                      !d.law_doubts.empty() ? "not to be trusted"
                      : d.trust.adequate()  ? "adequate"
                      : d.trust.determined  ? "determined, not adequate"
                      : d.trust.fitted      ? "not determined"
                                            : "none",
                      short_winner(d)});
  }
  std::vector<render::Block> out;
  out.emplace_back(render::Paragraph{fmt::format(
      "{} sets of runs that are not compared with each other{}; why, and what would change it, opens the part of each.",
      decisions.size(), order.size() > kMostSets ? fmt::format(", the {} largest here", kMostSets) : "")});
  out.emplace_back(render::TableBlock{std::move(t)});
  return out;
}

json::object winner_json(const Winner& w) {
  return {{"equal", equal_name(w.equal)},
          {"variant", w.variant.empty() ? json::value(nullptr) : json::value(w.variant)},
          {"better_than", strings_json(w.others)},
          {"by", finite_or_null(w.by)},
          {"in_the_way", strings_json(w.in_the_way)}};
}

}  // namespace

std::vector<Decision> decisions_of(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  std::vector<Decision> decisions;
  for (size_t k = 0; k < analysis.groups.size(); ++k)
    decisions.push_back(decide(input, analysis, k, group_doubts(input, analysis.groups[k])));
  return decisions;
}

std::vector<Text> decision_texts(const analysis::ReportInput&, const analysis::Analysis& analysis, const Decision& d) {
  const analysis::GroupAnalysis& g = analysis.groups[d.group];
  std::vector<Text> items;
  if (d.purpose == Purpose::nothing) {
    items.push_back(item("Run next", "one of the runs that are planned"));
    items.push_back(item("Why", why_text(d)));
    return items;
  }
  items.push_back(item("Run next", run_text(d)));
  items.push_back(
      item("Cost", cost_text(d) + (d.cost_hours ? " on one slot of this machine" : "") + "; " + loss_text(g, d)));
  items.push_back(item("Why", why_text(d)));
  if (d.next != nullptr && d.next->batch.size() > 1) {
    Text batch;
    batch.strong("Together with:") << fmt::format(
        " {} more; all {} take {}", render::plural(static_cast<int64_t>(d.next->batch.size()) - 1, "run", "runs"),
        d.next->batch.size(),
        d.next->hours ? format_duration(3600 * d.next->cost) : render::format_significant(d.next->cost, 2) + " FLOPs");
    if (!d.next->file.empty()) (batch << " and are in ").code(d.next->file);
    items.push_back(batch << ".");
  }
  items.push_back(item("The law", trust_text(d)));
  for (const auto& [title, text] : winner_texts(g, d)) items.push_back(item(title, text));
  items.push_back(item("What would change this", fmt::format("{}", fmt::join(would_change(d), "; "))));
  return items;
}

std::vector<render::Block> decision_block(const analysis::ReportInput& input, const analysis::Analysis& analysis,
                                          const std::vector<Decision>& decisions) {
  std::vector<render::Block> out;
  out.emplace_back(render::Heading{2, "Decision"});
  if (decisions.empty()) {
    out.emplace_back(render::Paragraph{"There are no runs yet: nothing can be decided."});
    return out;
  }
  if (decisions.size() == 1) {
    out.emplace_back(render::BulletList{decision_texts(input, analysis, decisions[0])});
    return out;
  }
  for (render::Block& block : sets_block(analysis, decisions)) out.push_back(std::move(block));
  return out;
}

json::object decision_json(const analysis::ReportInput&, const analysis::Analysis& analysis,
                           const std::vector<Decision>& decisions) {
  json::object out{{"run", nullptr},
                   {"purpose", "nothing"},
                   {"cost_hours", nullptr},
                   {"cost_flops", nullptr},
                   {"loss", nullptr},
                   {"interval", nullptr},
                   {"why", ""},
                   {"trust", nullptr},
                   {"winners", json::array()},
                   {"would_change", json::array()},
                   {"group", nullptr}};
  if (decisions.empty()) return out;
  const Decision& d = *by_runs(decisions).front();
  out["group"] = analysis.groups[d.group].group.label;
  out["purpose"] = purpose_name(d.purpose);
  out["why"] = why_text(d);
  out["would_change"] = strings_json(would_change(d));
  if (d.purpose == Purpose::nothing) return out;
  out["run"] = json::object{{"variant", d.variant},
                            {"params", finite_or_null(d.params)},
                            {"tokens", finite_or_null(d.tokens)},
                            {"lr", finite_or_null(d.lr)},
                            {"batch", finite_or_null(d.batch)}};
  out["cost_hours"] = finite_or_null(d.cost_hours);
  out["cost_flops"] = finite_or_null(d.cost_flops);
  out["loss"] = finite_or_null(d.loss);
  out["interval"] = interval_json(d.interval);
  out["trust"] = json::object{
      {"fitted", d.trust.fitted},
      {"determined", d.trust.determined},
      {"adequate", d.trust.adequate()},
      {"inadequacy", strings_json(d.trust.inadequacy)},
      {"undetermined", strings_json(d.trust.undetermined)},
      {"a_opt", finite_or_null(d.trust.a_opt)},
      {"held_out", d.trust.held_out},
      {"held_out_inside", d.trust.held_out_inside},
      {"held_out_error", d.trust.held_out > 0 ? finite_or_null(d.trust.held_out_error) : json::value(nullptr)},
      {"residual_sd", finite_or_null(d.trust.residual_sd)},
      {"noise_sd", finite_or_null(d.trust.noise_sd)},
      {"taken_back_by", strings_json(briefs(d.law_doubts))},
      {"says", trust_text(d)}};
  json::array winners;
  for (const Winner& w : d.winners) winners.push_back(winner_json(w));
  out["winners"] = std::move(winners);
  return out;
}

}  // namespace bitsweep::report
