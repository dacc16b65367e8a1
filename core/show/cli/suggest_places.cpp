#include "cli/suggest_places.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "advise/places.h"
#include "base/error.h"
#include "base/units.h"
#include "cli/points_options.h"
#include "cli/suggest_options.h"
#include "cli/suggest_shares.h"
#include "cli/suggest_text.h"
#include "fit/beyond.h"
#include "render/table.h"

namespace bitsweep::cli {
namespace {

using advise::Place;
using advise::PlaceSet;
using advise::Suggestion;

std::string or_nothing(const std::optional<double>& value) { return value ? fmt::format("{:.3g}", *value) : "-"; }

render::Table batch_table(const Suggestion& s, const PlaceSet& set) {
  render::Table table{{{"params", render::Align::right},
                       {"tokens", render::Align::right},
                       {"steps", render::Align::right},
                       {"batch", render::Align::right},
                       {"lr", render::Align::right},
                       {set.costs.hours ? "time" : "FLOPs", render::Align::right},
                       {"expected", render::Align::right},
                       {"takes", render::Align::right},
                       {"leaves ±", render::Align::right}},
                      {}};
  for (const advise::SuggestedRun& run : s.batch) {
    const Place& p = set.places[run.candidate];
    table.rows.push_back({format_count(p.params), format_count(p.tokens), p.steps > 0 ? format_thousands(p.steps) : "-",
                          or_nothing(p.batch), or_nothing(p.lr), set.costs.text(set.costs.of[run.candidate]),
                          fmt::format("{:.4f}", run.loss), fmt::format("{:.1f} %", 100 * run.reduction),
                          fmt::format("{:.2g}", s.targets[0].half_width * std::sqrt(run.remaining))});
  }
  return table;
}

json::object place_json(const Place& p, double cost) {
  return {{"params", p.params},
          {"tokens", p.tokens},
          {"steps", p.steps > 0 ? json::value(p.steps) : json::value(nullptr)},
          {"batch", p.batch ? json::value(*p.batch) : json::value(nullptr)},
          {"lr", p.lr ? json::value(*p.lr) : json::value(nullptr)},
          {"cost", finite_or_null(cost)}};
}

json::array batch_json(const Suggestion& s, const PlaceSet& set) {
  json::array list;
  for (const advise::SuggestedRun& run : s.batch) {
    json::object row = place_json(set.places[run.candidate], set.costs.of[run.candidate]);
    row["loss"] = finite_or_null(run.loss);
    row["reduction"] = finite_or_null(run.reduction);
    row["remaining"] = finite_or_null(run.remaining);
    list.push_back(std::move(row));
  }
  return list;
}

// A name that no file has.
std::string file_name(const PlacesQuestion& asked) {
  const std::string name = asked.data.sweeps.empty() ? "points" : asked.data.sweeps[0];
  return advise::next_name(name, asked.several ? asked.law.variant : "",
                           [](const std::string& n) { return fs::exists(n + ".yaml"); }) +
         ".yaml";
}

std::string write_places(const CommandLine& line, const PlacesQuestion& asked, const Suggestion& s,
                         const PlaceSet& set) {
  const std::string file = line.get("out").value_or(file_name(asked));
  if (file == "-" || s.batch.empty()) return "";
  if (fs::exists(file) && !line.has("force"))
    throw Error(ErrorKind::input,
                fmt::format("'{}' is there already; name another by --out, or write over it with --force", file));
  write_file_atomic(file, file.ends_with(".csv")
                              ? places_csv(s, set)
                              : places_yaml("bitsweep suggest", asked.why, s, set, asked.data, asked.law));
  return file;
}

// A target out of all reason would have runs suggested that no law speaks of.
void require_near(const PlacesQuestion& asked) {
  constexpr double kFarthest = 1000;  // as predictions have it
  for (const fit::Target& target : asked.targets)
    if (const std::string why = too_far(fit::beyond(asked.law.points, target), kFarthest); !why.empty())
      throw Error(ErrorKind::input, fmt::format("--target {}: {}", fit::place_name(target.params, target.tokens), why));
}

int tell_places(const CommandLine& line, const PlacesQuestion& asked, const PlaceSet& set, double share,
                json::array& documents) {
  const Suggestion s = suggest(asked.law.points, as_candidates(set, asked.law),
                               options_of(line, asked.targets, asked.law, set.costs, share));
  const std::string file = write_places(line, asked, s, set);
  if (line.has("json")) {
    json::object document = suggestion_json(s, asked.law, set.costs, file);
    document["batch"] = batch_json(s, set);
    document["candidates"] = set.places.size();
    document["no_sweep_file"] = asked.why;
    documents.push_back(std::move(document));
  } else {
    std::string text = suggestion_headline(s, asked.law);
    for (const std::string& outlook : outlook_lines(s, set.costs)) text += "  " + outlook + "\n";
    if (!s.batch.empty()) text += "\n" + terminal_table(batch_table(s, set));
    print(text);
  }
  if (s.batch.empty() && share == 0) return 0;  // the budget buys more elsewhere
  if (s.batch.empty()) {
    print_error(line.has("aim") ? "no batch of so many runs reaches the aim; more --runs, or a wider --aim"
                                : "nothing affordable helps; a larger budget: --hours or --budget");
    return 1;
  }
  print_error(fmt::format("note: places alone, no sweep file: {}", asked.why));
  if (!file.empty()) print_error("written: " + file);
  return 0;
}

}  // namespace

int suggest_places(const CommandLine& line, const std::vector<PlacesQuestion>& asked, json::array& documents) {
  for (const PlacesQuestion& question : asked) require_near(question);
  advise::CandidateRules rules;
  rules.most_seeds = static_cast<int64_t>(line.number("seeds", 1, 1000).value_or(1));
  std::vector<PlaceSet> sets;
  for (const PlacesQuestion& q : asked) sets.push_back(make_places(q.data, q.law, q.targets, rules));
  std::vector<SharingLaw> laws;
  for (size_t k = 0; k < asked.size(); ++k)
    laws.push_back({&asked[k].law, as_candidates(sets[k], asked[k].law),
                    options_of(line, asked[k].targets, asked[k].law, sets[k].costs, 1), &sets[k].costs});
  const std::vector<double> shares = budget_shares(line, laws);
  int code = 0;
  for (size_t k = 0; k < asked.size(); ++k)
    code = std::max(code, tell_places(line, asked[k], sets[k], shares[k], documents));
  return code;
}

int suggest_of_table(const CommandLine& line) {
  std::vector<fit::Target> targets;
  for (const std::string& text : line.all("target")) targets.push_back(fit::parse_target(text, "--target"));
  if (targets.empty())
    throw Error(ErrorKind::input, "a table names no target; say what to predict: --target \"params=300M,tokens=1B\"");
  const analysis::ReportInput input = points_input(line, "suggest");
  analysis::SweepData data = law_data(input);
  data.sweeps = {input.name};
  const std::vector<const analysis::LawData*> laws = chosen_laws(data, line, targets);
  if (laws.size() > 1 && line.get("out").value_or("-") != "-")
    throw Error(ErrorKind::input, "--out names one file, and each variant has its own: name one variant by --variant");
  std::vector<PlacesQuestion> asked;
  for (const analysis::LawData* law : laws)
    asked.push_back({data, *law, targets, "a table names no plugin", laws.size() > 1});
  json::array documents;
  const int code = suggest_places(line, asked, documents);
  if (line.has("json")) print(pretty_json(laws.size() > 1 ? json::value(documents) : documents.at(0)) + "\n");
  return code;
}

}  // namespace bitsweep::cli
