// The section "What changed since the last report": this report's fits beside those that the last one kept.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analysis/analysis.h"
#include "render/format.h"
#include "report/advice_sections.h"
#include "report/findings.h"

namespace bitsweep::report {
namespace {

struct Change {
  const analysis::GroupAnalysis* group = nullptr;
  const analysis::LawFit* fit = nullptr;
  const analysis::EarlierFit* earlier = nullptr;
  std::vector<std::string> added, gone;  // ids of runs

  std::optional<double> value(const std::string& name) const {
    for (const auto& [known, value] : earlier->params)
      if (known == name) return value;
    return std::nullopt;
  }
  // What is now outside of the interval that was given then.
  std::vector<const fit::NamedValue*> moved() const {
    std::vector<const fit::NamedValue*> names;
    for (const fit::NamedValue& v : fit->result.params)
      if (const auto then = earlier->intervals.find(v.name);
          then != earlier->intervals.end() && (v.value < then->second.first || v.value > then->second.second))
        names.push_back(&v);
    return names;
  }
};

std::vector<Change> changes_of(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  std::vector<Change> changes;
  for (const analysis::GroupAnalysis& g : analysis.groups) {
    for (const analysis::LawFit& fit : g.fits) {
      if (!kept_for_later(fit)) continue;
      const auto same = [&](const analysis::EarlierFit& e) {
        return e.law == fit.law && e.variant == fit.variant && e.dataset == g.group.dataset;
      };
      const auto earlier = std::find_if(input.earlier.begin(), input.earlier.end(), same);
      if (earlier == input.earlier.end()) continue;
      Change change{&g, &fit, &*earlier, {}, {}};
      const std::set<std::string> then(earlier->runs.begin(), earlier->runs.end());
      std::set<std::string> now;
      for (const fit::Point& point : fit.points) now.insert(point.run);
      std::set_difference(now.begin(), now.end(), then.begin(), then.end(), std::back_inserter(change.added));
      std::set_difference(then.begin(), then.end(), now.begin(), now.end(), std::back_inserter(change.gone));
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

std::string with_interval(double value, const std::map<std::string, std::pair<double, double>>& intervals,
                          const std::string& name) {
  const auto range = intervals.find(name);
  if (range == intervals.end()) return render::format_significant(value, 4);
  return fmt::format("{} ({} to {})", render::format_significant(value, 4),
                     render::format_significant(range->second.first, 3),
                     render::format_significant(range->second.second, 3));
}

// "4 more runs, 1 run less"
std::string runs_text(const Change& change) {
  std::vector<std::string> parts;
  if (!change.added.empty())
    parts.push_back(render::plural(static_cast<int64_t>(change.added.size()), "more run", "more runs"));
  if (!change.gone.empty()) parts.push_back(fmt::format("{} fewer", change.gone.size()));
  return parts.empty() ? "the same runs with other losses" : listed(parts);
}

render::Text sentence_of(const Change& change) {
  render::Text text;
  text.strong(change.fit->variant) << fmt::format(" ({}): {}", change.fit->law, runs_text(change));
  const bool then = !change.earlier->params.empty(), now = change.fit->drawable();
  if (!then && now) return text << "; the law could not be fitted then, and now it can.";
  if (then && !now) return text << "; the law was fitted then, and is refused now.";
  if (!now) return text << "; the law is refused now as it was then.";
  const auto moved = change.moved();
  if (change.earlier->intervals.empty()) return text << "; no interval was given then that an estimate could leave.";
  if (moved.empty()) return text << "; every estimate is within the interval that was given then.";
  std::vector<std::string> names;
  for (const fit::NamedValue* v : moved) names.push_back(v->name);
  return text << fmt::format("; {} left the interval that was given then.", listed(names));
}

}  // namespace

std::vector<render::Block> changes_section(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  const std::vector<Change> changes = changes_of(input, analysis);
  if (changes.empty()) return {};
  std::vector<render::Block> blocks{render::Heading{2, "What changed since the last report"}};
  render::BulletList list;
  render::Table t{
      {{"variant"}, {"law"}, {"estimate"}, {"then", render::Align::right}, {"now", render::Align::right}, {"outside"}},
      {}};
  std::set<std::string> added;
  for (const Change& change : changes) {
    list.items.push_back(sentence_of(change));
    added.insert(change.added.begin(), change.added.end());
    const auto moved = change.moved();
    for (const fit::NamedValue& v : change.fit->result.params)
      if (const auto then = change.value(v.name))
        t.rows.push_back({change.fit->variant, change.fit->law, v.name,
                          with_interval(*then, change.earlier->intervals, v.name),
                          with_interval(v.value, change.fit->result.intervals, v.name),
                          std::find(moved.begin(), moved.end(), &v) != moved.end() ? "yes" : "no"});
  }
  int64_t scored = 0, hits = 0;
  for (const query::ScoredPrediction& p : calibrate(input.predictions).predictions) {
    if (!p.last || !added.contains(p.row.run) ||
        (p.verdict != query::Verdict::hit && p.verdict != query::Verdict::miss))
      continue;
    ++scored, hits += p.verdict == query::Verdict::hit;
  }
  if (scored > 0)
    list.items.push_back(fmt::format("Of the new runs, {} had been foretold with an interval, and {} ended within it.",
                                     scored, hits == scored ? "all" : std::to_string(hits)));
  blocks.emplace_back(std::move(list));
  if (!t.empty()) blocks.emplace_back(render::TableBlock{std::move(t)});
  return blocks;
}

json::array changes_json(const analysis::ReportInput& input, const analysis::Analysis& analysis) {
  json::array list;
  for (const Change& change : changes_of(input, analysis)) {
    json::array added(change.added.begin(), change.added.end()), gone(change.gone.begin(), change.gone.end()), moved;
    for (const fit::NamedValue* v : change.moved()) moved.emplace_back(v->name);
    json::object then;
    for (const auto& [name, value] : change.earlier->params) then[name] = finite_or_null(value);
    list.push_back(json::object{{"variant", change.fit->variant},
                                {"law", change.fit->law},
                                {"added", std::move(added)},
                                {"gone", std::move(gone)},
                                {"then", std::move(then)},
                                {"moved", std::move(moved)}});
  }
  return list;
}

}  // namespace bitsweep::report
