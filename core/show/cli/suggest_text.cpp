#include "cli/suggest_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

constexpr size_t kRanked = 8;        // candidates told beside the batch
constexpr size_t kRankedJson = 200;  // … and by --json

render::Table batch_table(const advise::Suggestion& s, const advise::CandidateSet& set,
                          const std::vector<advise::ChosenRun>& chosen, const advise::Costs& costs) {
  render::Table table{{{"run"},
                       {"params", render::Align::right},
                       {"tokens", render::Align::right},
                       {"steps", render::Align::right},
                       {"seed", render::Align::right},
                       {costs.hours ? "time" : "FLOPs", render::Align::right},
                       {"expected", render::Align::right},
                       {"takes", render::Align::right},
                       {"leaves ±", render::Align::right}},
                      {}};
  for (size_t i = 0; i < s.batch.size(); ++i) {
    const plan::PlannedRun& run = set.runs[s.batch[i].candidate].run;
    table.rows.push_back({run_id(spec_of(chosen[i])), format_count(static_cast<double>(run.model.params)),
                          format_count(run.tokens), format_thousands(run.spec.train.steps),
                          std::to_string(chosen[i].seed), costs.text(costs.of[s.batch[i].candidate]),
                          fmt::format("{:.4f}", s.batch[i].loss), fmt::format("{:.1f} %", 100 * s.batch[i].reduction),
                          fmt::format("{:.2g}", s.targets[0].half_width * std::sqrt(s.batch[i].remaining))});
  }
  return table;
}

render::Table ranking_table(const advise::Suggestion& s, const advise::CandidateSet& set, const advise::Costs& costs) {
  render::Table table{{{"params"},
                       {"tokens", render::Align::right},
                       {costs.hours ? "time" : "FLOPs", render::Align::right},
                       {"takes alone", render::Align::right}},
                      {}};
  for (size_t i = 0; i < std::min(kRanked, s.ranking.size()); ++i) {
    const advise::RankedCandidate& ranked = s.ranking[i];
    const plan::PlannedRun& run = set.runs[ranked.candidate].run;
    table.rows.push_back({format_count(static_cast<double>(run.model.params)), format_count(run.tokens),
                          costs.text(costs.of[ranked.candidate]), fmt::format("{:.1f} %", 100 * ranked.reduction)});
  }
  return table;
}

json::array batch_json(const advise::Suggestion& s, const advise::CandidateSet& set,
                       const std::vector<advise::ChosenRun>& chosen, const advise::Costs& costs) {
  json::array list;
  for (size_t i = 0; i < s.batch.size(); ++i) {
    const plan::PlannedRun& run = set.runs[s.batch[i].candidate].run;
    list.push_back(json::object{{"id", run_id(spec_of(chosen[i]))},
                                {"params", run.model.params},
                                {"tokens", run.tokens},
                                {"steps", run.spec.train.steps},
                                {"seed", chosen[i].seed},
                                {"cost", costs.of[s.batch[i].candidate]},
                                {"loss", s.batch[i].loss},
                                {"reduction", s.batch[i].reduction},
                                {"remaining", s.batch[i].remaining}});
  }
  return list;
}

}  // namespace

std::string suggestion_headline(const advise::Suggestion& s, const analysis::LawData& law) {
  std::string text =
      fmt::format("{}  {}  {}  ({} point{}, {} configuration{})\n", s.formula, law.variant, law.label, s.points,
                  s.points == 1 ? "" : "s", s.configurations, s.configurations == 1 ? "" : "s");
  text += fmt::format("  a run scatters by {:.2g} % of its loss, {:.2g} % with its seed alone ({})\n",
                      100 * std::sqrt(s.noise.variance(1)), 100 * s.noise.seed_sd, s.noise.source);
  for (const std::string& reason : s.leans_on_prior)
    text += fmt::format("  the runs alone do not determine the law: {}\n", reason);
  if (!s.leans_on_prior.empty())
    text += "  so the ranking leans on what laws of language models commonly are; the loss below is no prediction\n";
  return text;
}

std::string suggestion_text(const advise::Suggestion& s, const analysis::LawData& law, const advise::CandidateSet& set,
                            const std::vector<advise::ChosenRun>& chosen, const advise::Costs& costs) {
  std::string text = suggestion_headline(s, law);
  for (const std::string& outlook : outlook_lines(s, costs)) text += "  " + outlook + "\n";
  if (!s.batch.empty()) text += "\n" + terminal_table(batch_table(s, set, chosen, costs));
  return text +
         fmt::format("\nwhat one run alone takes, best per {} first, of {} candidates:\n",
                     costs.hours ? "hour" : "FLOP", set.runs.size()) +
         terminal_table(ranking_table(s, set, costs));
}

json::object suggestion_json(const advise::Suggestion& s, const analysis::LawData& law, const advise::Costs& costs,
                             const std::string& file) {
  json::array targets;
  for (const advise::TargetOutlook& t : s.targets)
    targets.push_back(json::object{{"target", json::object{{"params", t.target.params}, {"tokens", t.target.tokens}}},
                                   {"loss", finite_or_null(t.loss)},
                                   {"half_width", finite_or_null(t.half_width)},
                                   {"half_width_after", finite_or_null(t.half_width_after)}});
  return {{"law", s.law},
          {"variant", law.variant},
          {"dataset", law.label},
          {"points", s.points},
          {"configurations", s.configurations},
          {"draws", s.draws},
          {"noise", json::object{{"seed_sd", s.noise.seed_sd},
                                 {"configuration_sd", s.noise.configuration_sd},
                                 {"source", s.noise.source}}},
          {"leans_on_prior", strings_json(s.leans_on_prior)},
          {"cost_unit", costs.hours ? "hours" : "FLOPs"},
          {"spent", costs.spent},
          {"cost", s.cost},
          {"targets", std::move(targets)},
          {"file", file.empty() ? json::value(nullptr) : json::value(file)}};
}

json::object suggestion_json(const advise::Suggestion& s, const analysis::LawData& law, const advise::CandidateSet& set,
                             const std::vector<advise::ChosenRun>& chosen, const advise::Costs& costs,
                             const std::string& file) {
  json::array ranking;
  for (size_t i = 0; i < std::min(kRankedJson, s.ranking.size()); ++i) {
    const plan::PlannedRun& run = set.runs[s.ranking[i].candidate].run;
    const double cost = costs.of[s.ranking[i].candidate];
    ranking.push_back(json::object{{"params", run.model.params},
                                   {"tokens", run.tokens},
                                   {"cost", cost},
                                   {"reduction", s.ranking[i].reduction},
                                   {"reduction_per_cost", s.ranking[i].reduction / cost}});
  }
  json::object document = suggestion_json(s, law, costs, file);
  document["batch"] = batch_json(s, set, chosen, costs);
  document["candidates"] = set.runs.size();
  document["ranking"] = std::move(ranking);
  return document;
}

}  // namespace bitsweep::cli
