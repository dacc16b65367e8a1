#include "cli/suggest_options.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/points_options.h"
#include "fit/law.h"

namespace bitsweep::cli {
namespace {

// A law that does not exist is refused where it is made.
void require_one_variant_law(const std::string& law) {
  const std::vector<std::string> all = fit::law_names(), possible = fit::one_variant_law_names();
  const auto in = [&](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), law) != names.end();
  };
  if (in(all) && !in(possible))
    throw Error(ErrorKind::input, fmt::format("--law {}: runs are suggested for one variant's law: {} or {}", law,
                                              fmt::join(possible.begin(), possible.end() - 1, ", "), possible.back()));
}

}  // namespace

std::vector<const analysis::LawData*> chosen_laws(const analysis::SweepData& data, const CommandLine& line,
                                                  const std::vector<fit::Target>& targets) {
  std::vector<std::string> asked = line.all("variant");
  for (const fit::Target& target : targets)
    if (asked.empty() && !target.variant.empty()) asked.push_back(target.variant);
  const std::string dataset = line.get("dataset").value_or("");
  std::vector<const analysis::LawData*> fitting;
  std::vector<std::string> variants, labels;
  for (const analysis::LawData& law : data.laws) {
    if (law.points.empty()) continue;
    if (std::find(variants.begin(), variants.end(), law.variant) == variants.end()) variants.push_back(law.variant);
    if (!dataset.empty() && law.label != dataset) continue;
    if (!asked.empty() && std::find(asked.begin(), asked.end(), law.variant) == asked.end()) continue;
    if (std::find(labels.begin(), labels.end(), law.label) == labels.end()) labels.push_back(law.label);
    fitting.push_back(&law);
  }
  if (variants.empty()) throw Error(ErrorKind::input, "no finished run with a validation loss in these sweeps");
  for (const std::string& variant : asked)
    if (std::find(variants.begin(), variants.end(), variant) == variants.end())
      throw Error(ErrorKind::input, fmt::format("no finished run of --variant '{}'{}; there are {}", variant,
                                                did_you_mean(variant, variants), fmt::join(variants, ", ")));
  if (fitting.empty())
    throw Error(ErrorKind::input, fmt::format("no finished run of these variants on --dataset '{}'", dataset));
  if (labels.size() > 1)
    throw Error(ErrorKind::input, fmt::format("losses on different data are never pooled: name one by --dataset: '{}'",
                                              fmt::join(labels, "', '")));
  return fitting;
}

advise::SuggestOptions options_of(const CommandLine& line, const std::vector<fit::Target>& targets,
                                  const analysis::LawData& law, const advise::Costs& costs, double share) {
  advise::SuggestOptions options;
  options.law = line.get("law").value_or(options.law);
  require_one_variant_law(options.law);
  options.targets = targets;
  for (fit::Target& target : options.targets) {
    target.variant = law.variant;
    target.dataset = law.label;
  }
  options.limits.runs = static_cast<int>(line.number("runs", 1, 200).value_or(8));
  options.aim = line.number("aim", 1e-9, 1e6);
  if (const auto seed = line.number("seed", 0, 9e15)) options.seed = static_cast<uint64_t>(*seed);
  if (const auto noise = line.number("noise", 1e-6, 1)) options.noise = *noise;
  if (const auto text = line.get("hours")) {
    const auto seconds = parse_duration_s(*text);
    const auto plain = parse_number(*text);
    if (!seconds || !(*seconds > 0))
      throw Error(ErrorKind::input,
                  fmt::format("--hours '{}': expected hours such as 2.5, or a duration such as 90m", *text));
    if (!costs.hours)
      throw Error(ErrorKind::input, line.has("points") ? "--hours: the table does not say how long every run took "
                                                         "(wall_s, wall_min or wall_h); --budget 1e20 is of FLOPs"
                                                       : "--hours: no speed is known of this plugin on this machine; "
                                                         "'bitsweep plan SWEEP.yaml --measure' finds it");
    options.limits.cost = share * (plain ? *plain : *seconds / 3600);
  } else if (const auto flops = line.number("budget", 1, 1e40)) {
    if (costs.hours)
      throw Error(ErrorKind::input,
                  "--budget is of FLOPs, and these runs tell their time: --hours says how much of it");
    options.limits.cost = share * *flops;
  } else if (!options.aim && costs.spent > 0) {
    options.limits.cost = costs.spent;
  }
  return options;
}

void suggest_options(CommandLine& line) {
  points_options(line);
  line.values("target", "what to predict: \"params=300M,tokens=1B\"; default: the sweep files' targets")
      .values("variant",
              "whose law; repeatable; default: every variant's; --hours or --budget are divided by what they take "
              "from the predictions' variance")
      .value("dataset", "the comparable group, as 'bitsweep fit' names it; needed when there are several")
      .value("law", "chinchilla (the default), power, repeated")
      .value("runs", "at most so many: 8")
      .value("hours", "at most so much time on one slot: 2.5, or 90m; default: as much as the finished runs took")
      .value("budget", "at most so many FLOPs, where costs are FLOPs: 1e20; default: as many as the finished runs took")
      .value("aim", "instead of a budget: the cheapest runs that bring the target to ± this")
      .value("seeds", "at most so many runs of one configuration: 3, or as many as the sweep has")
      .value("noise", "assumed scatter of a run as a fraction of its loss, while the runs do not tell: 0.01")
      .value("seed", "of the draws: 0")
      .value("out,o",
             "the sweep file to write: NAME-next-1.yaml, or one a variant; '-' for none; of a table or of imported "
             "runs a list "
             "of places, as CSV where the name ends so")
      .flag("force", "write over an existing file")
      .flag("json", "one JSON document")
      .root_option();
}

}  // namespace bitsweep::cli
