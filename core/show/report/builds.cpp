#include "report/builds.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "report/findings.h"
#include "render/format.h"

namespace bitsweep::report {
namespace {

constexpr size_t kMostIds = 4;

using RunsByBuild = std::map<std::string, std::vector<std::string>>;  // fingerprint -> ids of runs

// "1a2b3c4d (2 runs: a, b), 5e6f7a8b (12 runs)"
std::string told(const RunsByBuild& builds) {
  std::vector<std::string> parts;
  for (const auto& [build, runs] : builds) {
    const std::string count = render::plural(static_cast<int64_t>(runs.size()), "run", "runs");
    std::string part = fmt::format("{} ({}", build.substr(0, 8), count);
    if (runs.size() <= kMostIds) part += fmt::format(": {}", fmt::join(runs, ", "));
    parts.push_back(part + ")");
  }
  return listed(parts);
}

// The builds of these runs by one part of them; runs that do not tell it are left out.
RunsByBuild builds_by(const analysis::ReportInput& input, const std::vector<size_t>& runs,
                      std::string CodeBuild::*part) {
  RunsByBuild builds;
  for (const size_t r : runs) {
    std::set<std::string> seen;
    for (const CodeBuild& build : input.runs[r].builds)
      if (!(build.*part).empty() && seen.insert(build.*part).second)
        builds[build.*part].push_back(input.runs[r].row.id);
  }
  return builds;
}

std::vector<size_t> runs_of_variant(const analysis::GroupAnalysis& g, const std::string& variant) {
  std::vector<size_t> runs;
  for (const analysis::ReportCell& cell : g.table.cells)
    if (cell.variant == variant) runs.insert(runs.end(), cell.runs.begin(), cell.runs.end());
  std::sort(runs.begin(), runs.end());
  return runs;
}

// How the newest build of a finished run differs from the one at hand; nothing when it does not.
std::optional<std::pair<CodeBuild, CodeBuild>> outdated(const analysis::ReportInput& input,
                                                        const analysis::MeasuredRun& run) {
  if (run.row.state != RunState::done || run.builds.empty()) return std::nullopt;
  const auto now = input.at_hand.find(run.row.plugin);
  if (now == input.at_hand.end() || differing_parts(run.builds.front(), now->second).empty()) return std::nullopt;
  return std::pair(run.builds.front(), now->second);
}

}  // namespace

void several_builds(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                    std::vector<render::Text>& out) {
  bool nn_told = false;
  for (const std::string& variant : g.table.variants) {
    const std::vector<size_t> runs = runs_of_variant(g, variant);
    std::vector<std::string> parts;
    if (const RunsByBuild plugin = builds_by(input, runs, &CodeBuild::plugin); plugin.size() > 1)
      parts.push_back("its plugin was " + told(plugin));
    if (const RunsByBuild nn = builds_by(input, runs, &CodeBuild::nn); nn.size() > 1) {
      parts.push_back("libbitsweep_nn was " + told(nn));
      nn_told = true;
    }
    if (!parts.empty())
      out.push_back(
          fmt::format("{} is of several builds of the code: {}. What differs between these runs may be the code.",
                      variant, listed(parts)));
  }
  if (nn_told) return;
  std::vector<size_t> all;
  for (const analysis::ReportCell& cell : g.table.cells) all.insert(all.end(), cell.runs.begin(), cell.runs.end());
  if (const RunsByBuild nn = builds_by(input, all, &CodeBuild::nn); nn.size() > 1)
    out.push_back(fmt::format(
        "The variants were run on several builds of libbitsweep_nn: {}. What differs between them may be that.",
        told(nn)));
}

std::vector<render::Text> outdated_runs(const analysis::ReportInput& input) {
  std::map<std::string, std::vector<std::string>> by_change;
  for (const analysis::MeasuredRun& run : input.runs)
    if (const auto change = outdated(input, run))
      by_change[build_change(change->first, change->second)].push_back(run.row.id);
  std::vector<render::Text> out;
  for (const auto& [change, runs] : by_change) {
    render::Text text(fmt::format(
        "{} made by another build of the code than the one at hand ({}):",
        render::plural(static_cast<int64_t>(runs.size()), "finished run was", "finished runs were"), change));
    for (const std::string& id : runs) (text << " ").code(id);
    text << "; ";
    out.push_back(text.code("bitsweep run SWEEP.yaml --again") << " makes them anew.");
  }
  return out;
}

json::array outdated_json(const analysis::ReportInput& input) {
  json::array rows;
  for (const analysis::MeasuredRun& run : input.runs) {
    const auto change = outdated(input, run);
    if (!change) continue;
    const auto& [made, now] = *change;
    json::object row{{"run", run.row.id}};
    for (const std::string& part : differing_parts(made, now))
      row[part] = json::object{{"made", part == "plugin" ? made.plugin : made.nn},
                               {"now", part == "plugin" ? now.plugin : now.nn}};
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace bitsweep::report
