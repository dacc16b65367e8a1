// The section "Next runs": what suggest ranks, and the sweep file that asks for the batch.
#include <algorithm>

#include <fmt/format.h>

#include "base/units.h"
#include "report/advice.h"
#include "report/analysis.h"
#include "report/findings.h"
#include "report/format.h"

namespace bitsweep {
namespace {

std::string cost_text(const NextRuns& next, double cost) {
  return next.hours ? format_duration(3600 * cost) : format_significant(cost, 2) + " FLOPs";
}

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

Table ranking_table(const NextRuns& next) {
  Table t{{{"params", Align::right},
           {"tokens", Align::right},
           {"steps", Align::right},
           {next.hours ? "time" : "FLOPs", Align::right},
           {"takes alone", Align::right}},
          {}};
  for (const NextRun& run : next.ranking)
    t.rows.push_back({format_count(run.params), format_count(run.tokens), format_thousands(run.steps),
                      cost_text(next, run.cost), percent(run.takes)});
  return t;
}

Table batch_table(const NextRuns& next) {
  Table t{{{"params", Align::right},
           {"tokens", Align::right},
           {"steps", Align::right},
           {next.hours ? "time" : "FLOPs", Align::right},
           {"expected", Align::right},
           {"takes", Align::right},
           {"leaves ±", Align::right}},
          {}};
  for (const NextRun& run : next.batch)
    t.rows.push_back({format_count(run.params), format_count(run.tokens), format_thousands(run.steps),
                      cost_text(next, run.cost), format_bpc(run.expected), percent(run.takes),
                      run.leaves ? format_significant(*run.leaves, 2) : kNothing});
  return t;
}

void add_variant(const NextRuns& next, std::vector<Block>& blocks) {
  blocks.emplace_back(Paragraph{Text().strong(next.variant)});
  BulletList told;
  for (const std::string& line : next.outlook) told.items.emplace_back(line + ".");
  if (!next.leans_on_prior.empty())
    told.items.emplace_back(
        "The runs alone do not determine the law, so the ranking leans on what laws of language models commonly are, "
        "and the losses above are no predictions.");
  if (!told.items.empty()) blocks.emplace_back(std::move(told));
  blocks.emplace_back(TableBlock{ranking_table(next)});
  if (next.batch.empty()) return;
  blocks.emplace_back(Paragraph{
      Text(fmt::format("Together {} for {} in all, in ", plural(static_cast<int64_t>(next.batch.size()), "run", "runs"),
                       cost_text(next, next.cost)))
          .code(next.file)
      << ":"});
  blocks.emplace_back(TableBlock{batch_table(next)});
}

json::array runs_json(const std::vector<NextRun>& runs) {
  json::array list;
  for (const NextRun& run : runs) {
    json::object object{{"params", run.params},
                        {"tokens", run.tokens},
                        {"steps", run.steps},
                        {"cost", finite_or_null(run.cost)},
                        {"takes", finite_or_null(run.takes)}};
    if (run.expected) object["expected"] = finite_or_null(*run.expected);
    if (run.leaves) object["leaves"] = finite_or_null(*run.leaves);
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace

std::vector<Block> next_runs_section(const ReportInput& input, const GroupAnalysis& g, int level) {
  std::vector<Block> blocks;
  bool any = false;
  std::vector<std::pair<std::string, std::vector<std::string>>> refusals;
  for (const NextRuns& next : input.next) {
    if (next.group != g.group.label) continue;
    if (next.refused.empty()) {
      if (!any)
        blocks.emplace_back(Paragraph{
            "Candidates around the measured sizes and lengths and beyond, settings as in the best run of about the "
            "size. \"Takes alone\": how much of the variance of the targets' predictions one such run is expected to "
            "take away; best per cost first. The batch is chosen for as much cost as the finished runs took."});
      any = true;
      add_variant(next, blocks);
      continue;
    }
    auto known = std::find_if(refusals.begin(), refusals.end(), [&](auto& r) { return r.first == next.refused; });
    if (known == refusals.end()) known = refusals.insert(known, {next.refused, {}});
    known->second.push_back(next.variant);
  }
  BulletList without;
  for (const auto& [reason, variants] : refusals)
    without.items.push_back(Text().strong(listed_variants(g, variants)) << ": " + reason + ".");
  if (!without.items.empty()) {
    blocks.emplace_back(Paragraph{"Without advice:"});
    blocks.emplace_back(std::move(without));
  }
  if (!blocks.empty()) blocks.insert(blocks.begin(), Heading{level, "Next runs"});
  return blocks;
}

json::array next_runs_json(const ReportInput& input, const GroupAnalysis& g) {
  json::array list;
  for (const NextRuns& next : input.next) {
    if (next.group != g.group.label) continue;
    json::array reasons;
    for (const std::string& reason : next.leans_on_prior) reasons.emplace_back(reason);
    list.push_back(json::object{{"variant", next.variant},
                                {"law", next.law},
                                {"cost_unit", next.hours ? "hours" : "FLOPs"},
                                {"cost", finite_or_null(next.cost)},
                                {"leans_on_prior", std::move(reasons)},
                                {"candidates", next.candidates},
                                {"ranking", runs_json(next.ranking)},
                                {"batch", runs_json(next.batch)},
                                {"file", next.file.empty() ? json::value(nullptr) : json::value(next.file)},
                                {"refused", next.refused.empty() ? json::value(nullptr) : json::value(next.refused)}});
  }
  return list;
}

}  // namespace bitsweep
