#include "advise/next_sweep.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"
#include "prepare/measure.h"

namespace bitsweep::advise {
namespace {

std::string target_text(const fit::Target& target) {
  return fmt::format("{} parameters, {} tokens", format_count(target.params), format_count(target.tokens));
}

}  // namespace

SweepDefaults sweep_defaults(store::Store& store, const std::vector<std::string>& sweeps) {
  SweepDefaults defaults;
  if (const auto parsed = try_parse_json(store.sweep_source(sweeps.at(0))); parsed && parsed->is_object())
    defaults.source = parsed->get_object();
  if (const json::value* seeds = defaults.source.if_contains("seeds"); seeds != nullptr && seeds->is_array())
    for (const json::value& seed : seeds->get_array())
      if (seed.is_int64()) defaults.seeds.push_back(seed.get_int64());
  if (const json::value* model = defaults.source.if_contains("model"); model != nullptr && model->is_object())
    for (const char* name : {"n_layers", "n_heads"})
      if (const json::value* fixed = model->get_object().if_contains(name);
          fixed != nullptr && !model->get_object().contains("d_model"))
        defaults.kept[name] = *fixed;
  if (const json::value* resources = defaults.source.if_contains("resources");
      resources != nullptr && resources->is_object())
    defaults.resources = resources->get_object();
  return defaults;
}

int64_t most_seeds(const SweepDefaults& defaults) {
  return std::max<int64_t>(3, static_cast<int64_t>(defaults.seeds.size()));
}

std::vector<plan::MeasuredSpeed> speeds_for(const analysis::SweepData& data, const analysis::LawData& law,
                                            store::Store& store) {
  std::vector<plan::MeasuredSpeed> gpu = prepare::known_speeds(store, "cuda");
  const std::string device = law.runs.empty() ? "any" : data.runs[law.runs[0]].device;
  const bool on_gpu = device.starts_with("cuda") || (device != "cpu" && !gpu.empty());
  return on_gpu ? gpu : prepare::known_speeds(store, "cpu");
}

std::string Costs::text(double cost) const {
  return hours ? format_duration(3600 * cost) : fmt::format("{:.2e} FLOPs", cost);
}

Costs costs_of(CandidateSet& set, const analysis::SweepData& data, const analysis::LawData& law, store::Store& store) {
  const std::vector<plan::MeasuredSpeed> speeds = speeds_for(data, law, store);
  Costs costs;
  costs.hours = !set.runs.empty();
  for (CandidateRun& candidate : set.runs) {
    candidate.run.time = estimate_time(candidate.run, speeds);
    costs.hours = costs.hours && candidate.run.time;
  }
  for (const CandidateRun& candidate : set.runs)
    costs.of.push_back(costs.hours ? candidate.run.time->seconds / 3600 : candidate.run.flops);
  for (const size_t r : law.runs)
    costs.spent += costs.hours ? data.runs[r].wall_s.value_or(0) / 3600 : data.runs[r].flops.value_or(0);
  return costs;
}

std::vector<Candidate> as_candidates(const CandidateSet& set, const analysis::LawData& law, const Costs& costs) {
  std::vector<Candidate> all;
  for (size_t i = 0; i < set.runs.size(); ++i) {
    Candidate& candidate = all.emplace_back();
    candidate.params = static_cast<double>(set.runs[i].run.model.params);
    candidate.tokens = set.runs[i].run.tokens;
    candidate.variant = law.variant;
    candidate.dataset = law.label;
    candidate.unique_tokens = law.points[0].unique_tokens;
    candidate.cost = costs.of[i];
    candidate.available = static_cast<int>(set.runs[i].seeds.size());
  }
  return all;
}

std::vector<ChosenRun> with_seeds(const Suggestion& suggestion, const CandidateSet& set) {
  std::map<size_t, size_t> used;
  std::vector<ChosenRun> chosen;
  for (const SuggestedRun& run : suggestion.batch) {
    const CandidateRun& candidate = set.runs[run.candidate];
    chosen.push_back({&candidate, candidate.seeds.at(used[run.candidate]++), ""});
    chosen.back().comment = fmt::format(
        "{} params, {} tokens{}; expected {:.4f}; takes {:.1f} % of the variance",
        format_count(static_cast<double>(candidate.run.model.params)), format_count(candidate.run.tokens),
        candidate.run.time ? ", " + format_duration(candidate.run.time->seconds) : "", run.loss, 100 * run.reduction);
  }
  return chosen;
}

std::vector<std::string> outlook_lines(const Suggestion& s, const Costs& costs) {
  std::vector<std::string> lines;
  for (const TargetOutlook& t : s.targets) {
    std::string line = fmt::format("at {}: {:.4f} ± {:.2g} now", target_text(t.target), t.loss, t.half_width);
    if (!s.batch.empty())
      line += fmt::format(", ± {:.2g} expected after {} run{} ({})", t.half_width_after, s.batch.size(),
                          s.batch.size() == 1 ? "" : "s", costs.text(s.cost));
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string next_sweep(const std::string& name, const std::string& maker, const Suggestion& s,
                       const std::vector<ChosenRun>& chosen, const SweepDefaults& defaults, const Costs& costs,
                       const analysis::SweepData& data, const analysis::LawData& law,
                       const std::vector<fit::Target>& targets) {
  std::vector<std::string> head{fmt::format("The next runs of {} for {}, by `{}`; everything but size, length and",
                                            fmt::join(data.sweeps, ", "), law.variant, maker),
                                "seed is as in the best finished run of about the size."};
  for (const std::string& text : outlook_lines(s, costs)) head.push_back(text);
  std::vector<ChosenRun> largest_first = chosen;
  std::stable_sort(largest_first.begin(), largest_first.end(), [](const ChosenRun& a, const ChosenRun& b) {
    return a.candidate->run.model.params > b.candidate->run.model.params;
  });
  return sweep_yaml(name, head, largest_first, defaults.kept, defaults.resources, s.law, targets);
}

std::string next_name(const std::string& sweep, const std::string& variant,
                      const std::function<bool(const std::string&)>& taken) {
  std::string stem = sweep;
  if (const size_t at = stem.rfind("-next-"); at != std::string::npos) stem.resize(at);
  if (const std::string part = "-" + slug(variant); !variant.empty() && !stem.ends_with(part)) stem += part;
  for (int k = 1;; ++k)
    if (std::string name = fmt::format("{}-next-{}", stem, k); !taken(name)) return name;
}

std::string slug(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      text += c;
    else if (!text.empty() && text.back() != '-')
      text += '-';
  }
  while (!text.empty() && text.back() == '-') text.pop_back();
  return text;
}

}  // namespace bitsweep::advise
