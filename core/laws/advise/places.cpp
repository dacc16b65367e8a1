#include "advise/places.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::advise {
namespace {

double distance(double a, double b) { return std::abs(std::log(a / b)); }

// The finished run of the size nearest to this one; of several, that of the nearest length.
const query::RunRow& nearest_run(const analysis::SweepData& data, const analysis::LawData& law, double params,
                                 double tokens) {
  const auto far = [&](size_t r) {
    const query::RunRow& run = data.runs[r];
    return std::pair(distance(static_cast<double>(run.params), params),
                     distance(static_cast<double>(run.tokens), tokens));
  };
  return data
      .runs[*std::min_element(law.runs.begin(), law.runs.end(), [&](size_t a, size_t b) { return far(a) < far(b); })];
}

double flops_of(const query::RunRow& run) {
  return run.flops && *run.flops > 0 ? *run.flops
                                     : 6 * static_cast<double>(run.params) * static_cast<double>(run.tokens);
}

const analysis::SettingPlace* nearest_setting(const analysis::SettingLaw& settings, double params, double tokens) {
  const auto far = [&](const analysis::SettingPlace& p) {
    return std::pair(distance(p.params, params), distance(p.tokens, tokens));
  };
  const auto at = std::min_element(settings.places.begin(), settings.places.end(),
                                   [&](const auto& a, const auto& b) { return far(a) < far(b); });
  return at == settings.places.end() ? nullptr : &*at;
}

void take_settings(const query::RunRow& like, const analysis::SettingLaw& settings, Place& place) {
  const analysis::SettingPlace* nearest = nearest_setting(settings, place.params, place.tokens);
  if (settings.lr)
    place.lr = two_digits(settings.lr->at(place.params, place.tokens).value);
  else if (nearest != nullptr)
    place.lr = nearest->lr ? two_digits(std::exp(nearest->lr->log_value)) : nearest->best_lr;
  std::optional<double> batch;
  if (const json::value* train = like.spec.if_contains("train"); train != nullptr && train->is_object())
    if (const json::value* said = train->get_object().if_contains("batch"); said != nullptr && said->is_number())
      batch = said->to_number<double>();
  place.batch = batch;
  if (settings.batch) place.batch = std::max(1.0, two_digits(settings.batch->at(place.params, place.tokens).value));
  if (like.steps > 0 && batch && *batch > 0) {
    const double per_step = static_cast<double>(like.tokens) / static_cast<double>(like.steps) / *batch * *place.batch;
    place.steps = std::llround(place.tokens / per_step);
  }
}

struct Ends {
  double low = HUGE_VAL, high = 0;
  void add(double value) { low = std::min(low, value), high = std::max(high, value); }
};

std::string number(const std::optional<double>& value) { return value ? fmt::format("{:.6g}", *value) : ""; }

}  // namespace

std::string why_no_sweep(const analysis::SweepData& data, const analysis::LawData& law) {
  try {
    references_of(data, law);
    return "";
  } catch (const Error& error) {
    const std::string text = error.what();
    return text.substr(0, text.find('\n'));
  }
}

Place place_at(const analysis::SweepData& data, const analysis::LawData& law, double params, double tokens) {
  const query::RunRow& like = nearest_run(data, law, params, tokens);
  Place place;
  place.params = params, place.tokens = tokens;
  place.flops = flops_of(like) / static_cast<double>(like.params) / static_cast<double>(like.tokens) * params * tokens;
  take_settings(like, law.settings, place);
  return place;
}

std::optional<double> hours_at(const analysis::SweepData& data, const analysis::LawData& law, const Place& place) {
  const query::RunRow& like = nearest_run(data, law, place.params, place.tokens);
  if (!like.wall_s || !(*like.wall_s > 0)) return std::nullopt;
  return place.flops / (flops_of(like) / *like.wall_s) / 3600;
}

PlaceSet make_places(const analysis::SweepData& data, const analysis::LawData& law,
                     const std::vector<fit::Target>& targets, const CandidateRules& rules) {
  Ends params, tokens, ratio;
  const auto add = [&](double n, double d) {
    if (n > 0) params.add(n);
    if (d > 0) tokens.add(d);
    if (n > 0 && d > 0) ratio.add(d / n);
  };
  for (const fit::Point& point : law.points) add(point.params, point.tokens);
  for (const fit::Target& target : targets) add(target.params, target.tokens);
  PlaceSet set;
  set.seeds = rules.most_seeds;
  for (const double n : size_ladder(params.low / kBelowRuns, params.high, rules.sizes))
    for (const double d : size_ladder(tokens.low / kBelowRuns, tokens.high, rules.lengths))
      if (d / n >= ratio.low / rules.beyond && d / n <= ratio.high * rules.beyond)
        set.places.push_back(place_at(data, law, n, d));
  Costs& costs = set.costs;
  costs.hours = std::all_of(law.runs.begin(), law.runs.end(),
                            [&](size_t r) { return data.runs[r].wall_s && *data.runs[r].wall_s > 0; });
  for (const Place& place : set.places) costs.of.push_back(costs.hours ? *hours_at(data, law, place) : place.flops);
  for (const size_t r : law.runs) costs.spent += costs.hours ? *data.runs[r].wall_s / 3600 : flops_of(data.runs[r]);
  return set;
}

std::vector<Candidate> as_candidates(const PlaceSet& set, const analysis::LawData& law) {
  std::vector<Candidate> all;
  for (size_t i = 0; i < set.places.size(); ++i) {
    Candidate& candidate = all.emplace_back();
    candidate.params = set.places[i].params;
    candidate.tokens = set.places[i].tokens;
    candidate.variant = law.variant;
    candidate.dataset = law.label;
    candidate.unique_tokens = law.points[0].unique_tokens;
    candidate.cost = set.costs.of[i];
    candidate.available = static_cast<int>(set.seeds);
  }
  return all;
}

std::string places_yaml(const std::string& maker, const std::string& why, const Suggestion& s, const PlaceSet& set,
                        const analysis::SweepData& data, const analysis::LawData& law) {
  std::string text = fmt::format("# The next runs of {} for {}, by `{}`: places alone, no sweep file ({}).\n",
                                 fmt::join(data.sweeps, ", "), law.variant, maker, why);
  for (const std::string& line : outlook_lines(s, set.costs)) text += "# " + line + "\n";
  text += "places:\n";
  for (const SuggestedRun& run : s.batch) {
    const Place& p = set.places[run.candidate];
    text += fmt::format("  - {{ params: {:.6g}, tokens: {:.6g}", p.params, p.tokens);
    if (p.steps > 0) text += fmt::format(", steps: {}", p.steps);
    if (p.batch) text += fmt::format(", batch: {:.6g}", *p.batch);
    if (p.lr) text += fmt::format(", lr: {:.6g}", *p.lr);
    text += fmt::format(" }}  # {}; expected {:.4f}; takes {:.1f} % of the variance\n",
                        set.costs.text(set.costs.of[run.candidate]), run.loss, 100 * run.reduction);
  }
  return text;
}

std::string places_csv(const Suggestion& s, const PlaceSet& set) {
  std::string text = "params,tokens,steps,batch,lr,expected_loss\n";
  for (const SuggestedRun& run : s.batch) {
    const Place& p = set.places[run.candidate];
    text += fmt::format("{:.6g},{:.6g},{},{},{},{:.6g}\n", p.params, p.tokens,
                        p.steps > 0 ? std::to_string(p.steps) : "", number(p.batch), number(p.lr), run.loss);
  }
  return text;
}

}  // namespace bitsweep::advise
