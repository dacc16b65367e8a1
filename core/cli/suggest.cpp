// `bitsweep suggest`: which runs to make next, for what is to be predicted.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/candidates.h"
#include "cli/foresight.h"
#include "cli/measure.h"
#include "cli/options.h"
#include "cli/planning.h"
#include "cli/suggest_text.h"

namespace bitsweep {
namespace {

// What the sweeps' files say of themselves.
struct Asked {
  json::object source;  // of the first sweep that still reads as JSON
  std::vector<int64_t> seeds;
  json::object kept;       // model.n_layers, model.n_heads given beside a size
  json::object resources;  // as in the file
};

Asked asked_by(Store& store, const std::vector<std::string>& sweeps) {
  Asked asked;
  Statement row = store.database().prepare("SELECT source FROM sweep WHERE name = ?");
  row.bind(sweeps.at(0));
  if (const auto parsed = row.step() ? try_parse_json(row.text_view(0)) : std::nullopt; parsed && parsed->is_object())
    asked.source = parsed->get_object();
  if (const json::value* seeds = asked.source.if_contains("seeds"); seeds != nullptr && seeds->is_array())
    for (const json::value& seed : seeds->get_array())
      if (seed.is_int64()) asked.seeds.push_back(seed.get_int64());
  if (const json::value* model = asked.source.if_contains("model"); model != nullptr && model->is_object())
    for (const char* name : {"n_layers", "n_heads"})
      if (const json::value* fixed = model->get_object().if_contains(name);
          fixed != nullptr && !model->get_object().contains("d_model"))
        asked.kept[name] = *fixed;
  if (const json::value* resources = asked.source.if_contains("resources");
      resources != nullptr && resources->is_object())
    asked.resources = resources->get_object();
  return asked;
}

// The one law to be advised on. Throws Error{input} naming the choices.
const LawData& chosen_law(const SweepData& data, const CommandLine& line, const std::vector<Target>& targets) {
  std::string variant = line.get("variant").value_or("");
  for (const Target& target : targets)
    if (variant.empty()) variant = target.variant;
  const std::string dataset = line.get("dataset").value_or("");
  std::vector<const LawData*> fitting;
  std::vector<std::string> variants, labels;
  for (const LawData& law : data.laws) {
    if (law.points.empty()) continue;
    if (std::find(variants.begin(), variants.end(), law.variant) == variants.end()) variants.push_back(law.variant);
    if (std::find(labels.begin(), labels.end(), law.label) == labels.end()) labels.push_back(law.label);
    if ((variant.empty() || law.variant == variant) && (dataset.empty() || law.label == dataset))
      fitting.push_back(&law);
  }
  if (variants.empty()) throw Error(ErrorKind::input, "no finished run with a validation loss in these sweeps");
  if (fitting.empty())
    throw Error(ErrorKind::input, fmt::format("no finished run of --variant '{}'{}; there are {}", variant,
                                              did_you_mean(variant, variants), fmt::join(variants, ", ")));
  if (fitting.size() > 1 && variant.empty() && variants.size() > 1)
    throw Error(ErrorKind::input,
                fmt::format("each variant has a law of its own: name one by --variant: {}", fmt::join(variants, ", ")));
  if (fitting.size() > 1)
    throw Error(ErrorKind::input, fmt::format("losses on different data are never pooled: name one by --dataset: '{}'",
                                              fmt::join(labels, "', '")));
  return *fitting[0];
}

std::vector<Target> targets_of(const CommandLine& line, const Query& query, const std::vector<std::string>& sweeps) {
  std::vector<Target> targets;
  for (const std::string& text : line.all("target")) targets.push_back(parse_target(text, "--target"));
  if (!targets.empty()) return targets;
  for (const SweepRow& sweep : query.sweeps()) {
    if (std::find(sweeps.begin(), sweeps.end(), sweep.name) == sweeps.end()) continue;
    const json::value* report = sweep.settings.if_contains("report");
    const json::value* list =
        report != nullptr && report->is_object() ? report->get_object().if_contains("targets") : nullptr;
    if (list == nullptr || !list->is_array()) continue;
    for (const json::value& item : list->get_array()) {
      Target target;
      target.params = number_or(item.as_object(), "params", 0),
      target.tokens = number_or(item.as_object(), "tokens", 0);
      targets.push_back(std::move(target));
    }
  }
  if (targets.empty())
    throw Error(ErrorKind::input,
                "these sweeps name no target of their own; say what to predict: --target \"params=300M,tokens=1B\"");
  return targets;
}

Costs costs_of(CandidateSet& set, const SweepData& data, const LawData& law, Store& store) {
  const std::vector<MeasuredSpeed> gpu = known_speeds(store, "cuda"), cpu = known_speeds(store, "cpu");
  const std::string device = law.runs.empty() ? "any" : data.runs[law.runs[0]].queue.device;
  const bool on_gpu = device.starts_with("cuda") || (device != "cpu" && !gpu.empty());
  Costs costs;
  costs.hours = !set.runs.empty();
  for (CandidateRun& candidate : set.runs) {
    candidate.run.time = estimate_time(candidate.run, on_gpu ? gpu : cpu);
    costs.hours = costs.hours && candidate.run.time;
  }
  for (const CandidateRun& candidate : set.runs)
    costs.of.push_back(costs.hours ? candidate.run.time->seconds / 3600 : candidate.run.flops);
  for (const size_t r : law.runs)
    costs.spent += costs.hours ? data.runs[r].wall_s.value_or(0) / 3600 : data.runs[r].flops.value_or(0);
  return costs;
}

SuggestOptions options_of(const CommandLine& line, const std::vector<Target>& targets, const LawData& law,
                          const Costs& costs) {
  SuggestOptions options;
  options.law = line.get("law").value_or(options.law);
  if (options.law == "precision" || options.law == "grouped" || options.law == "curve")
    throw Error(ErrorKind::input,
                fmt::format("--law {}: runs are suggested for one variant's law: chinchilla, power or "
                            "repeated",
                            options.law));
  options.targets = targets;
  for (Target& target : options.targets) target.variant = law.variant, target.dataset = law.label;
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
      throw Error(
          ErrorKind::input,
          "--hours: no speed is known of this plugin on this machine; 'bitsweep plan SWEEP.yaml --measure' finds it");
    options.limits.cost = plain ? *plain : *seconds / 3600;
  } else if (!options.aim && costs.spent > 0) {
    options.limits.cost = costs.spent;
  }
  return options;
}

std::vector<Candidate> as_candidates(const CandidateSet& set, const LawData& law, const Costs& costs) {
  std::vector<Candidate> all;
  for (size_t i = 0; i < set.runs.size(); ++i) {
    Candidate& candidate = all.emplace_back();
    candidate.params = static_cast<double>(set.runs[i].run.model.params), candidate.tokens = set.runs[i].run.tokens;
    candidate.variant = law.variant, candidate.dataset = law.label;
    candidate.unique_tokens = law.points[0].unique_tokens;
    candidate.cost = costs.of[i];
    candidate.available = static_cast<int>(set.runs[i].seeds.size());
  }
  return all;
}

// Each pick with the seed it takes; the largest run's settings come first in the file.
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

// A name that neither a sweep nor a file here has: NAME-next-1, -2 …
std::string free_name(const std::vector<std::string>& taken, const std::string& sweep) {
  std::string stem = sweep;
  if (const size_t at = stem.rfind("-next-"); at != std::string::npos) stem.resize(at);
  for (int k = 1;; ++k) {
    const std::string name = fmt::format("{}-next-{}", stem, k);
    if (std::find(taken.begin(), taken.end(), name) == taken.end() && !fs::exists(name + ".yaml")) return name;
  }
}

void describe_options(CommandLine& line) {
  line.values("target", "what to predict: \"params=300M,tokens=1B\"; default: the sweep files' targets")
      .value("variant", "whose law; needed when the sweeps hold several")
      .value("dataset", "the comparable group, as 'bitsweep fit' names it; needed when there are several")
      .value("law", "chinchilla (the default), power, repeated")
      .value("runs", "at most so many: 8")
      .value("hours", "at most so much time on one slot: 2.5, or 90m; default: as much as the finished runs took")
      .value("aim", "instead of a budget: the cheapest runs that bring the target to ± this")
      .value("seeds", "at most so many runs of one configuration: 3, or as many as the sweep has")
      .value("noise", "assumed scatter of a run as a fraction of its loss, while the runs do not tell: 0.01")
      .value("seed", "of the draws: 0")
      .value("out,o", "the sweep file to write: NAME-next-1.yaml; '-' for none")
      .flag("force", "write over an existing file")
      .flag("json", "one JSON document")
      .root_option();
}

// Writes the file, reads it back as `submit` would, and stores what a sound fit says of its runs.
class Writing {
 public:
  Writing(const CommandLine& line, const SweepData& data, const LawData& law) : line_(line), data_(data), law_(law) {}

  std::string write(const Suggestion& s, const std::vector<ChosenRun>& chosen, const Asked& asked, const Costs& costs,
                    const std::vector<Target>& targets, const std::vector<std::string>& taken) {
    const std::string file = line_.get("out").value_or(free_name(taken, data_.sweeps.at(0)) + ".yaml");
    if (file == "-" || chosen.empty()) return "";
    if (fs::exists(file) && !line_.has("force"))
      throw Error(ErrorKind::input,
                  fmt::format("'{}' is there already; name another by --out, or write over it with --force", file));
    std::vector<std::string> head{
        fmt::format("The next runs of {} for {}, by `bitsweep suggest`; everything but size, length and",
                    fmt::join(data_.sweeps, ", "), law_.variant),
        "seed is as in the best finished run of about the size."};
    for (const std::string& text : outlook_lines(s, costs)) head.push_back(text);
    std::vector<ChosenRun> largest_first = chosen;
    std::stable_sort(largest_first.begin(), largest_first.end(), [](const ChosenRun& a, const ChosenRun& b) {
      return a.candidate->run.model.params > b.candidate->run.model.params;
    });
    std::string name = fs::path(file).stem().string();
    write_file_atomic(file, sweep_yaml(name, head, largest_first, asked.kept, asked.resources, s.law, targets));
    check(file, chosen);
    return file;
  }

  // What the joint fit says of these runs, kept before they are queued; why not, when it says nothing.
  void foretell(const std::vector<ChosenRun>& chosen) {
    std::vector<Foretold> about;
    for (const ChosenRun& run : chosen)
      about.push_back(
          {run_id(spec_of(run)), static_cast<double>(run.candidate->run.model.params), run.candidate->run.tokens});
    std::string why;
    const std::vector<std::string> laws{line_.get("law").value_or("chinchilla")};
    auto made = forecast(law_, data_.sweeps, about, laws, "suggest", why);
    if (!made) return print_error("note: no prediction of these runs is stored: " + why);
    Foresight foresight;
    foresight.forecasts.push_back(std::move(*made));
    Store store(line_.root(), StoreMode::create);
    const StoredPredictions kept = keep(store, foresight);
    if (kept.stored > 0)
      print_error(fmt::format("foretold {} run{}; 'bitsweep calibration' will tell how they fare", kept.stored,
                              kept.stored == 1 ? "" : "s"));
  }

 private:
  void check(const std::string& file, const std::vector<ChosenRun>& chosen) const {
    const std::vector<Plan> plans = plan_sweeps({file}, {}, line_.root());
    for (const ChosenRun& run : chosen) {
      const std::string id = run_id(spec_of(run));
      const auto same = [&](const PlannedRun& planned) { return planned.id == id; };
      if (std::none_of(plans[0].runs.begin(), plans[0].runs.end(), same))
        throw Error(ErrorKind::failed,
                    fmt::format("'{}' does not give run {} as it was chosen; its data or plugin have "
                                "changed since the sweep was run",
                                file, id));
    }
  }

  const CommandLine& line_;
  const SweepData& data_;
  const LawData& law_;
};

int run(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  describe_options(line);
  if (!line.parse(args, 1)) return 0;
  const Query query(line.root());
  std::vector<std::string> sweeps, taken;
  for (const std::string& name : line.positional()) sweeps.push_back(query.sweep_name(name));
  for (const SweepRow& sweep : query.sweeps()) taken.push_back(sweep.name);
  const std::vector<Target> targets = targets_of(line, query, sweeps);
  const SweepData data = law_data(query, sweeps);
  const LawData& law = chosen_law(data, line, targets);

  Store store(line.root(), StoreMode::read_only);
  const Asked asked = asked_by(store, sweeps);
  CandidateRules rules;
  rules.most_seeds = static_cast<int64_t>(
      line.number("seeds", 1, 1000).value_or(std::max<double>(3, static_cast<double>(asked.seeds.size()))));
  WorkerDescriber describer(worker_program(), plugin_folder());
  CandidateSet set = make_candidates(references_of(data, law), law.points, targets, asked.kept, asked.seeds, rules,
                                     describer, [&](const std::string& id) { return store.state(id).has_value(); });
  for (const std::string& note : set.notes) print_error("note: " + note);
  if (set.runs.empty()) throw Error(ErrorKind::input, "no run can be made that is not there already");
  const Costs costs = costs_of(set, data, law, store);
  const Suggestion s = suggest(law.points, as_candidates(set, law, costs), options_of(line, targets, law, costs));
  const std::vector<ChosenRun> chosen = with_seeds(s, set);

  Writing writing(line, data, law);
  const std::string file = writing.write(s, chosen, asked, costs, targets, taken);
  if (line.has("json")) {
    print(pretty_json(suggestion_json(s, law, set, chosen, costs, file)) + "\n");
  } else {
    print(suggestion_text(s, law, set, chosen, costs));
  }
  if (s.batch.empty()) {
    print_error(line.has("aim") ? "no batch of so many runs reaches the aim; more --runs, or a wider --aim"
                                : "nothing affordable helps; a larger budget: --hours");
    return 1;
  }
  if (!file.empty()) {
    writing.foretell(chosen);
    print_error(fmt::format("next: bitsweep run {0}; then again: bitsweep suggest {1} {2}", file,
                            fmt::join(sweeps, " "), fs::path(file).stem().string()));
  }
  return 0;
}

}  // namespace

const Verb kSuggestVerb{"suggest", "Which runs to make next, by what they take from a prediction's variance per hour",
                        "SWEEP… --target \"params=300M,tokens=1B\"",
                        "bitsweep suggest quickstart --variant llama --target params=2M,tokens=4M --hours 0.5", run};

}  // namespace bitsweep
