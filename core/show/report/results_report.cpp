#include "report/results_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "render/document.h"
#include "render/format.h"
#include "analysis/cells.h"

namespace bitsweep::report {
namespace {

// A row of the comparison, worked out.
struct Compared {
  const fit::ResultGroup* group = nullptr;
  analysis::Estimate mean;
  std::optional<analysis::Estimate> change;  // to the baseline; nothing for the baseline itself
  bool paired = false;
};

// Losses by seed; nothing where a seed is not told or is there twice.
std::optional<std::map<std::string, double>> by_seed(const fit::ResultGroup& group) {
  std::map<std::string, double> losses;
  for (size_t i = 0; i < group.losses.size(); ++i)
    if (group.seeds[i].empty() || !losses.emplace(group.seeds[i], group.losses[i]).second) return std::nullopt;
  return losses;
}

// Seed by seed where both have the same: what a seed does to both cancels.
std::vector<double> paired_differences(const fit::ResultGroup& a, const fit::ResultGroup& b) {
  const auto first = by_seed(a), second = by_seed(b);
  if (!first || !second || first->size() != second->size() || first->size() < 2) return {};
  std::vector<double> differences;
  for (const auto& [seed, loss] : *first) {
    const auto other = second->find(seed);
    if (other == second->end()) return {};
    differences.push_back(loss - other->second);
  }
  return differences;
}

std::vector<Compared> compare(const ResultsInput& input) {
  const fit::ResultGroup& baseline = input.table.groups[input.baseline.group];
  const analysis::Estimate base = *analysis::estimate(baseline.losses);
  std::vector<Compared> rows;
  for (const fit::ResultGroup& group : input.table.groups) {
    Compared& row = rows.emplace_back();
    row.group = &group;
    row.mean = *analysis::estimate(group.losses);
    if (&group == &baseline) continue;
    const std::vector<double> differences = paired_differences(group, baseline);
    row.paired = !differences.empty();
    row.change = row.paired ? analysis::paired_difference(differences) : difference(row.mean, base);
  }
  return rows;
}

std::string interval_of(const analysis::Estimate& e) {
  return e.half_width ? fmt::format("[{:+.4f}, {:+.4f}]", e.mean - *e.half_width, e.mean + *e.half_width)
                      : render::kNothing;
}

render::Table table_of(const std::vector<Compared>& rows, const ResultsInput& input) {
  render::Table table;
  table.columns = {{input.table.label},
                   {"n", render::Align::right},
                   {"mean", render::Align::right},
                   {"sd", render::Align::right},
                   {"difference", render::Align::right},
                   {"95 % interval", render::Align::right},
                   {"compared"}};
  for (const Compared& row : rows) {
    std::vector<std::string> cells = {row.group->name, fmt::format("{}", row.mean.values),
                                      fmt::format("{:.4f}", row.mean.mean),
                                      row.mean.sd ? fmt::format("{:.4f}", *row.mean.sd) : render::kNothing};
    if (!row.change) {
      cells.insert(cells.end(), {render::kNothing, render::kNothing, "baseline"});
    } else {
      const char* how = row.paired ? "seed by seed" : row.change->half_width ? "Welch" : "one seed: no interval";
      cells.insert(cells.end(), {fmt::format("{:+.4f}", row.change->mean), interval_of(*row.change), how});
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string sentence(std::string note) {
  if (!note.empty() && note[0] >= 'a' && note[0] <= 'z') note[0] = static_cast<char>(note[0] - 'a' + 'A');
  return note + ".";
}

std::vector<render::Text> findings(const std::vector<Compared>& rows, const ResultsInput& input) {
  std::vector<render::Text> out;
  int64_t results = 0, apart = 0, with_interval = 0;
  const Compared* best = &rows[0];
  for (const Compared& row : rows) {
    results += row.mean.values;
    if (row.mean.mean < best->mean.mean) best = &row;
    if (!row.change || !row.change->half_width) continue;
    ++with_interval;
    apart += std::abs(row.change->mean) > *row.change->half_width;
  }
  out.emplace_back(fmt::format("{} of {} by {}, {}.", render::plural(results, "result", "results"), input.table.metric,
                               input.table.label, render::plural(static_cast<int64_t>(rows.size()), "row", "rows")));
  render::Text lowest("Lowest mean: ");
  lowest.strong(fmt::format("{:.4f}", best->mean.mean)) << fmt::format(
      " {}, by {} ({}).", input.table.metric, best->group->name, render::plural(best->mean.values, "seed", "seeds"));
  out.push_back(std::move(lowest));
  out.emplace_back(fmt::format("Differences are to {}, taken for the baseline {}.",
                               input.table.groups[input.baseline.group].name, input.baseline.why));
  if (with_interval > 0)
    out.emplace_back(fmt::format(
        "Apart from the baseline, by an interval without 0: {} of {} that have one. Each interval is of one "
        "comparison, not of all together.",
        apart, render::plural(with_interval, "row", "rows")));
  if (rows.size() > 1 && with_interval + 1 < static_cast<int64_t>(rows.size()))
    out.emplace_back(
        "Rows with one result, and all of them where the baseline has one, have no interval: what a seed "
        "does is not known of them.");
  for (const std::string& note : input.table.notes) out.emplace_back(sentence(note));
  return out;
}

json::value mean_interval(const analysis::Estimate& e) {
  if (!e.half_width) return nullptr;
  return json::array{e.mean - *e.half_width, e.mean + *e.half_width};
}

json::object document_json(const std::vector<Compared>& rows, const ResultsInput& input) {
  json::array list;
  for (const Compared& row : rows) {
    json::object object{{"row", row.group->name},
                        {"n", row.mean.values},
                        {"seeds", strings_json(row.group->seeds)},
                        {"mean", row.mean.mean},
                        {"sd", finite_or_null(row.mean.sd)},
                        {"interval", mean_interval(row.mean)},
                        {"difference", nullptr}};
    if (row.change)
      object["difference"] = json::object{{"mean", row.change->mean},
                                          {"interval", mean_interval(*row.change)},
                                          {"p", finite_or_null(row.change->p)},
                                          {"paired", row.paired}};
    list.push_back(std::move(object));
  }
  const json::object baseline{{"row", input.table.groups[input.baseline.group].name}, {"why", input.baseline.why}};
  return {{"name", input.name},       {"source", input.source},
          {"version", input.version}, {"metric", input.table.metric},
          {"by", input.table.label},  {"baseline", baseline},
          {"rows", std::move(list)},  {"notes", strings_json(input.table.notes)}};
}

}  // namespace

std::vector<ReportFile> render_results(const ResultsInput& input) {
  const std::vector<Compared> rows = compare(input);
  render::Document document{"Results: " + input.name, {}};
  document.blocks.emplace_back(render::BulletList{findings(rows, input)});
  document.blocks.emplace_back(render::TableBlock{table_of(rows, input)});
  document.blocks.emplace_back(render::Heading{2, "Where this comes from"});
  render::Text source("Made by ");
  document.blocks.emplace_back(render::Paragraph{source.code(input.source) << ", bitsweep " + input.version + "."});
  return {{"report.json", pretty_json(document_json(rows, input)) + "\n"},
          {"report.html", render_html(document)},
          {"report.md", render_markdown(document)}};
}

}  // namespace bitsweep::report
