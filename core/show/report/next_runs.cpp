// The section "Next runs": what suggest ranks, and the sweep file that asks for the batch.
#include <algorithm>

#include <fmt/format.h>

#include "analysis/analysis.h"
#include "base/units.h"
#include "render/format.h"
#include "report/advice_sections.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

constexpr size_t kMostInFull = 3;  // variants

std::string cost_text(const analysis::NextRuns& next, double cost) {
  return next.hours ? format_duration(3600 * cost) : render::format_significant(cost, 2) + " FLOPs";
}

std::string steps_text(const analysis::NextRun& run) {
  return run.steps > 0 ? format_thousands(run.steps) : render::kNothing;
}

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

render::Table ranking_table(const analysis::NextRuns& next) {
  render::Table t{{{"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"steps", render::Align::right},
                   {next.hours ? "time" : "FLOPs", render::Align::right},
                   {"takes alone", render::Align::right}},
                  {}};
  for (const analysis::NextRun& run : next.ranking)
    t.rows.push_back({format_count(run.params), format_count(run.tokens), steps_text(run), cost_text(next, run.cost),
                      percent(run.takes)});
  return t;
}

render::Table batch_table(const analysis::NextRuns& next) {
  // What runs would measure is only worth telling where the law speaks for itself.
  const bool expected = next.leans_on_prior.empty();
  render::Table t{{{"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"steps", render::Align::right},
                   {next.hours ? "time" : "FLOPs", render::Align::right}},
                  {}};
  if (expected) t.columns.push_back({"expected", render::Align::right});
  t.columns.push_back({"takes", render::Align::right});
  t.columns.push_back({"leaves ±", render::Align::right});
  for (const analysis::NextRun& run : next.batch) {
    std::vector<std::string> row{format_count(run.params), format_count(run.tokens), steps_text(run),
                                 cost_text(next, run.cost)};
    if (expected) row.push_back(render::format_bpc(run.expected));
    row.push_back(percent(run.takes));
    row.push_back(run.leaves ? render::format_significant(*run.leaves, 2) : render::kNothing);
    t.rows.push_back(std::move(row));
  }
  return t;
}

std::string batch_words(const analysis::NextRuns& next) {
  return fmt::format("{}, {} in all", render::plural(static_cast<int64_t>(next.batch.size()), "run", "runs"),
                     cost_text(next, next.cost));
}

void add_variant(const analysis::NextRuns& next, std::vector<render::Block>& blocks) {
  blocks.emplace_back(render::Paragraph{render::Text().strong(next.variant)});
  if (next.leans_on_prior.empty()) {
    render::BulletList told;
    for (const std::string& line : next.outlook) told.items.emplace_back(line + ".");
    blocks.emplace_back(std::move(told));
  }
  blocks.emplace_back(render::TableBlock{ranking_table(next)});
  if (next.batch.empty()) return;
  blocks.emplace_back(
      render::Paragraph{render::Text(fmt::format("The batch, {}, in ", batch_words(next))).code(next.file) << ":"});
  blocks.emplace_back(render::TableBlock{batch_table(next)});
}

// Many variants: what each batch buys, and the best run alone.
render::Table overview(const std::vector<const analysis::NextRuns*>& all) {
  render::Table t{{{"variant"},
                   {"best alone"},
                   {"takes", render::Align::right},
                   {"batch"},
                   {"± of the first target now", render::Align::right},
                   {"after the batch", render::Align::right},
                   {"file"}},
                  {}};
  for (const analysis::NextRuns* next : all) {
    std::vector<std::string> row{next->variant,    render::kNothing, render::kNothing, render::kNothing,
                                 render::kNothing, render::kNothing, render::kNothing};
    if (!next->ranking.empty()) {
      const analysis::NextRun& best = next->ranking.front();
      row[1] = fmt::format("{} on {}, {}", format_count(best.params), format_count(best.tokens),
                           cost_text(*next, best.cost));
      row[2] = percent(best.takes);
    }
    row[4] = render::format_significant(next->now, 2);
    if (!next->batch.empty()) {
      row[3] = batch_words(*next);
      row[6] = next->file;
      if (next->batch.back().leaves) row[5] = render::format_significant(*next->batch.back().leaves, 2);
    }
    t.rows.push_back(std::move(row));
  }
  return t;
}

json::array runs_json(const std::vector<analysis::NextRun>& runs) {
  json::array list;
  for (const analysis::NextRun& run : runs) {
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

std::vector<render::Block> next_runs_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                             int level) {
  std::vector<render::Block> blocks;
  std::vector<const analysis::NextRuns*> advised;
  std::vector<std::string> leaning;
  std::vector<std::pair<std::string, std::vector<std::string>>> refusals;
  for (const analysis::NextRuns& next : input.next) {
    if (next.group != g.group.label) continue;
    if (next.refused.empty()) {
      advised.push_back(&next);
      if (!next.leans_on_prior.empty()) leaning.push_back(next.variant);
      continue;
    }
    auto known = std::find_if(refusals.begin(), refusals.end(), [&](auto& r) { return r.first == next.refused; });
    if (known == refusals.end()) known = refusals.insert(known, {next.refused, {}});
    known->second.push_back(next.variant);
  }
  if (!advised.empty())
    blocks.emplace_back(render::Paragraph{
        "Candidates around the measured sizes and lengths and beyond, settings as in the best run of about the size. "
        "\"Takes\": how much of the variance of the targets' predictions a run is expected to take away, alone and "
        "best per cost first, or in its turn in the batch, which costs no more than the finished runs did."});
  if (!leaning.empty())
    blocks.emplace_back(render::Paragraph{fmt::format(
        "The runs alone do not determine the law of {}: what is ranked there leans on what laws of language models "
        "commonly are, as any first choice of runs does.",
        listed_variants(g, leaning))});
  if (advised.size() > kMostInFull)
    blocks.emplace_back(render::TableBlock{overview(advised)});
  else
    for (const analysis::NextRuns* next : advised) add_variant(*next, blocks);
  render::BulletList without;
  for (const auto& [reason, variants] : refusals)
    without.items.push_back(render::Text().strong(listed_variants(g, variants)) << ": " + reason + ".");
  if (!without.items.empty()) {
    blocks.emplace_back(render::Paragraph{"Without advice:"});
    blocks.emplace_back(std::move(without));
  }
  if (!blocks.empty()) blocks.insert(blocks.begin(), render::Heading{level, "Next runs"});
  return blocks;
}

json::array next_runs_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  json::array list;
  for (const analysis::NextRuns& next : input.next) {
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

}  // namespace bitsweep::report
