// The section "Next runs": what suggest ranks, and the sweep file that asks for the batch.
#include <algorithm>

#include <fmt/format.h>

#include "analysis/analysis.h"
#include "base/units.h"
#include "render/format.h"
#include "report/advice_sections.h"
#include "report/findings.h"
#include "report/layout.h"

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

using Advised = std::vector<const analysis::NextRuns*>;

// The columns that the two tables begin with; the variant only where there are several.
render::Table runs_table(const Advised& all) {
  render::Table t{{{"params", render::Align::right},
                   {"tokens", render::Align::right},
                   {"steps", render::Align::right},
                   {"cost", render::Align::right}},
                  {}};
  if (all.size() > 1) t.columns.insert(t.columns.begin(), {"variant"});
  return t;
}

std::vector<std::string> run_row(const Advised& all, const analysis::NextRuns& next, const analysis::NextRun& run) {
  std::vector<std::string> row{format_count(run.params), format_count(run.tokens), steps_text(run),
                               cost_text(next, run.cost)};
  if (all.size() > 1) row.insert(row.begin(), next.variant);
  return row;
}

render::Table ranking_table(const Advised& all) {
  render::Table t = runs_table(all);
  t.columns.push_back({"takes alone", render::Align::right});
  for (const analysis::NextRuns* next : all)
    for (const analysis::NextRun& run : next->ranking) {
      t.rows.push_back(run_row(all, *next, run));
      t.rows.back().push_back(percent(run.takes));
    }
  return t;
}

render::Table batch_table(const Advised& all) {
  render::Table t = runs_table(all);
  for (const char* title : {"expected", "takes", "leaves ±"}) t.columns.push_back({title, render::Align::right});
  for (const analysis::NextRuns* next : all)
    for (const analysis::NextRun& run : next->batch) {
      t.rows.push_back(run_row(all, *next, run));
      // What runs would measure is only worth telling where the law speaks for itself.
      t.rows.back().push_back(next->leans_on_prior.empty() ? render::format_bpc(run.expected) : render::kNothing);
      t.rows.back().push_back(percent(run.takes));
      t.rows.back().push_back(run.leaves ? render::format_significant(*run.leaves, 2) : render::kNothing);
    }
  return without_empty_columns(std::move(t));
}

std::string batch_words(const analysis::NextRuns& next) {
  return fmt::format("{}, {} in all", render::plural(static_cast<int64_t>(next.batch.size()), "run", "runs"),
                     cost_text(next, next.cost));
}

render::Text outlook(const analysis::NextRuns& next) {
  render::Text text;
  text.strong(next.variant) << ":";
  if (next.batch.empty())
    text << " no batch.";
  else
    text << " " + batch_words(next) + ", in ", text.code(next.file) << ".";
  if (next.leans_on_prior.empty())
    for (const std::string& line : next.outlook) text << " Loss " + line + ".";
  return text;
}

void add_in_full(const Advised& all, std::vector<render::Block>& blocks) {
  render::BulletList told;
  for (const analysis::NextRuns* next : all) told.items.push_back(outlook(*next));
  blocks.emplace_back(std::move(told));
  if (render::Table batch = batch_table(all); !batch.empty()) blocks.emplace_back(render::TableBlock{std::move(batch)});
  blocks.emplace_back(render::Paragraph{"Each run alone, best per cost first:"});
  blocks.emplace_back(render::TableBlock{.table = ranking_table(all), .worth = render::TableBlock::Worth::minor});
}

// Many variants: what each batch buys, and the best run alone.
render::Table overview(const Advised& all) {
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
  Advised advised;
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
  std::string told;
  if (!advised.empty())
    told =
        "Candidates around the measured sizes and lengths and beyond, settings as in the best run of about the size. "
        "\"Takes\": how much of the variance of the targets' predictions a run is expected to take away, in its turn "
        "in the batch, which costs no more than the finished runs did, or alone.";
  if (!leaning.empty())
    told += fmt::format(
        " The runs alone do not determine the law of {}: what is ranked there leans on what laws of language models "
        "commonly are, as any first choice of runs does.",
        listed_variants(g, leaning));
  if (!told.empty()) blocks.emplace_back(render::Paragraph{told});
  if (advised.size() > kMostInFull)
    blocks.emplace_back(render::TableBlock{overview(advised)});
  else if (!advised.empty())
    add_in_full(advised, blocks);
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
    list.push_back(json::object{{"variant", next.variant},
                                {"law", next.law},
                                {"cost_unit", next.hours ? "hours" : "FLOPs"},
                                {"cost", finite_or_null(next.cost)},
                                {"leans_on_prior", strings_json(next.leans_on_prior)},
                                {"candidates", next.candidates},
                                {"ranking", runs_json(next.ranking)},
                                {"batch", runs_json(next.batch)},
                                {"file", next.file.empty() ? json::value(nullptr) : json::value(next.file)},
                                {"refused", next.refused.empty() ? json::value(nullptr) : json::value(next.refused)}});
  }
  return list;
}

}  // namespace bitsweep::report
