// `bitsweep suggest`: which runs to make next, for what is to be predicted.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "advise/next_sweep.h"
#include "advise/places.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/data_texts.h"
#include "cli/options.h"
#include "cli/points_options.h"
#include "cli/suggest_options.h"
#include "cli/suggest_places.h"
#include "cli/suggest_shares.h"
#include "cli/suggest_text.h"
#include "fit/law.h"
#include "predict/predictions.h"
#include "prepare/planning.h"
#include "prepare/programs.h"

namespace bitsweep::cli {
namespace {

std::vector<fit::Target> targets_of(const CommandLine& line, const query::Query& query,
                                    const std::vector<std::string>& sweeps) {
  std::vector<fit::Target> targets;
  for (const std::string& text : line.all("target")) targets.push_back(fit::parse_target(text, "--target"));
  if (!targets.empty()) return targets;
  for (const query::SweepRow& sweep : query.sweeps()) {
    if (std::find(sweeps.begin(), sweeps.end(), sweep.name) == sweeps.end()) continue;
    for (const store::SweepSettings::Target& asked : sweep.settings.targets) {
      fit::Target& target = targets.emplace_back();
      target.params = asked.params;
      target.tokens = asked.tokens;
    }
  }
  if (targets.empty())
    throw Error(ErrorKind::input,
                "these sweeps name no target of their own; say what to predict: --target \"params=300M,tokens=1B\"");
  return targets;
}

// A name that neither a sweep nor a file here has.
std::string free_name(const std::vector<std::string>& taken, const std::string& sweep, const std::string& variant) {
  return advise::next_name(sweep, variant, [&](const std::string& name) {
    return std::find(taken.begin(), taken.end(), name) != taken.end() || fs::exists(name + ".yaml");
  });
}

// Writes the file, reads it back as `submit` would, and stores what a sound fit says of its runs.
class Writing {
 public:
  // `several`: files are named by their variant.
  Writing(const CommandLine& line, const analysis::SweepData& data, const analysis::LawData& law, bool several)
      : line_(line), data_(data), law_(law), several_(several) {}

  std::string write(const advise::Suggestion& s, const std::vector<advise::ChosenRun>& chosen,
                    const advise::SweepDefaults& defaults, const advise::Costs& costs,
                    const std::vector<fit::Target>& targets, const std::vector<std::string>& taken) {
    const std::string file =
        line_.get("out").value_or(free_name(taken, data_.sweeps.at(0), several_ ? law_.variant : "") + ".yaml");
    if (file == "-" || chosen.empty()) return "";
    if (fs::exists(file) && !line_.has("force"))
      throw Error(ErrorKind::input,
                  fmt::format("'{}' is there already; name another by --out, or write over it with --force", file));
    write_file_atomic(file, next_sweep(fs::path(file).stem().string(), "bitsweep suggest", s, chosen, defaults, costs,
                                       data_, law_, targets));
    check(file, chosen);
    return file;
  }

  // What the joint fit says of these runs, kept before they are queued; why not, when it says nothing.
  void predict_runs(const std::vector<advise::ChosenRun>& chosen) {
    std::vector<predict::PredictionPlace> about;
    for (const advise::ChosenRun& run : chosen)
      about.push_back(
          {run_id(spec_of(run)), static_cast<double>(run.candidate->run.model.params), run.candidate->run.tokens});
    std::string why;
    const std::vector<std::string> laws{line_.get("law").value_or("chinchilla")};
    auto made = predict::predict(law_, data_.sweeps, about, laws, "suggest", why);
    if (!made) return print_error("note: no prediction of these runs is stored: " + why);
    predict::WaitingPredictions predictions;
    predictions.made.push_back(std::move(*made));
    store::Store store(line_.root(), store::StoreMode::create);
    const store::StoredPredictions kept = keep_predictions(store, predictions);
    if (kept.stored > 0)
      print_error(fmt::format("foretold {} run{}; 'bitsweep calibration' will tell how they fare", kept.stored,
                              kept.stored == 1 ? "" : "s"));
  }

 private:
  void check(const std::string& file, const std::vector<advise::ChosenRun>& chosen) const {
    DataTexts texts(line_.root() / "data");
    PrintedNotes notes;
    const std::vector<plan::Plan> plans = plan_sweeps({file}, {}, line_.root(), texts, notes);
    for (const advise::ChosenRun& run : chosen) {
      const std::string id = run_id(spec_of(run));
      const auto same = [&](const plan::PlannedRun& planned) { return planned.id == id; };
      if (std::none_of(plans[0].runs.begin(), plans[0].runs.end(), same))
        throw Error(ErrorKind::failed,
                    fmt::format("'{}' does not give run {} as it was chosen; its data or plugin have "
                                "changed since the sweep was run",
                                file, id));
    }
  }

  const CommandLine& line_;
  const analysis::SweepData& data_;
  const analysis::LawData& law_;
  bool several_;
};

// One call of the verb: a variant at a time, each with a law and a file of its own.
class Advising {
 public:
  explicit Advising(const CommandLine& line)
      : line_(line),
        query_(line.root()),
        store_(line.root(), store::StoreMode::read_only),
        worker_(prepare::worker_program(), prepare::plugin_folder()),
        describer_(worker_) {
    for (const std::string& name : line.positional()) sweeps_.push_back(query_.sweep_name(name));
    for (const query::SweepRow& sweep : query_.sweeps()) taken_.push_back(sweep.name);
    targets_ = targets_of(line, query_, sweeps_);
    analysis::ReportInput input;
    input.sweeps = sweeps_;
    for (query::RunRow& row : query_.runs_of(sweeps_)) input.runs.emplace_back().row = std::move(row);
    input.datasets = query_.datasets();
    choose_runs(line, input);
    data_ = law_data(input);
    defaults_ = advise::sweep_defaults(store_, sweeps_);
    rules_.most_seeds =
        static_cast<int64_t>(line.number("seeds", 1, 1000).value_or(static_cast<double>(most_seeds(defaults_))));
  }

  int run() {
    std::vector<const analysis::LawData*> laws = chosen_laws(data_, line_, targets_);
    const bool several = laws.size() > 1;
    json::array documents;
    // Laws of which no sweep file can be made have places alone.
    std::vector<PlacesQuestion> of_places;
    std::erase_if(laws, [&](const analysis::LawData* law) {
      const std::string why = advise::why_no_sweep(data_, *law);
      if (!why.empty()) of_places.push_back({data_, *law, targets_for(*law), why, several});
      return !why.empty();
    });
    int code = suggest_places(line_, of_places, documents);
    if (several && line_.get("out").value_or("-") != "-")
      throw Error(ErrorKind::input,
                  "--out names one file, and each variant has its own: name one variant by --variant");
    for (const analysis::LawData* law : laws)
      describer_.expect(candidate_questions(advise::references_of(data_, *law), law->points, targets_for(*law),
                                            defaults_.kept, rules_));
    std::vector<Prepared> all;
    for (const analysis::LawData* law : laws) all.push_back(prepare(*law));
    const std::vector<double> shares = shares_of(all);
    for (size_t k = 0; k < all.size(); ++k) code = std::max(code, advise(all[k], shares[k], several, documents));
    if (line_.has("json")) print(pretty_json(several ? json::value(documents) : documents.at(0)) + "\n");
    return code;
  }

 private:
  // Those of this variant, or of none in particular.
  std::vector<fit::Target> targets_for(const analysis::LawData& law) const {
    std::vector<fit::Target> targets;
    for (const fit::Target& target : targets_)
      if (target.variant.empty() || target.variant == law.variant) targets.push_back(target);
    return targets.empty() ? targets_ : targets;
  }

  // A law with the runs that could be made for it.
  struct Prepared {
    const analysis::LawData* law;
    std::vector<fit::Target> targets;
    advise::CandidateSet set;
    advise::Costs costs;
  };

  Prepared prepare(const analysis::LawData& law) {
    Prepared p{&law, targets_for(law), {}, {}};
    p.set = make_candidates(advise::references_of(data_, law), law.points, p.targets, defaults_.kept, defaults_.seeds,
                            rules_, describer_, [&](const std::string& id) { return store_.state(id).has_value(); });
    for (const std::string& note : p.set.notes) print_error("note: " + note);
    if (p.set.runs.empty())
      throw Error(ErrorKind::input, fmt::format("no run of {} can be made that is not there already", law.variant));
    p.costs = costs_of(p.set, data_, law, store_);
    return p;
  }

  advise::SuggestOptions options_for(const Prepared& p, double share) const {
    return options_of(line_, p.targets, *p.law, p.costs, share);
  }

  std::vector<double> shares_of(const std::vector<Prepared>& all) const {
    std::vector<SharingLaw> laws;
    for (const Prepared& p : all)
      laws.push_back({p.law, as_candidates(p.set, *p.law, p.costs), options_for(p, 1), &p.costs});
    return budget_shares(line_, laws);
  }

  int advise(const Prepared& p, double share, bool several, json::array& documents) {
    const auto& [law_data, targets, set, costs] = p;
    const analysis::LawData& law = *law_data;
    const advise::Suggestion s = suggest(law.points, as_candidates(set, law, costs), options_for(p, share));
    const std::vector<advise::ChosenRun> chosen = with_seeds(s, set);
    Writing writing(line_, data_, law, several);
    const std::string file = writing.write(s, chosen, defaults_, costs, targets, taken_);
    if (line_.has("json"))
      documents.push_back(suggestion_json(s, law, set, chosen, costs, file));
    else
      print((told_ ? "\n" : "") + suggestion_text(s, law, set, chosen, costs));
    told_ = true;
    if (s.batch.empty() && share == 0) return 0;  // the hours buy more elsewhere
    if (s.batch.empty()) {
      print_error((several ? law.variant + ": " : "") +
                  (line_.has("aim") ? "no batch of so many runs reaches the aim; more --runs, or a wider --aim"
                                    : "nothing affordable helps; a larger budget: --hours"));
      return 1;
    }
    if (!file.empty()) {
      writing.predict_runs(chosen);
      print_error(fmt::format("next: bitsweep run {0}; then again: bitsweep suggest {1} {2}", file,
                              fmt::join(sweeps_, " "), fs::path(file).stem().string()));
    }
    return 0;
  }

  const CommandLine& line_;
  query::Query query_;
  store::Store store_;
  prepare::WorkerDescriber worker_;
  advise::CachingDescriber describer_;
  std::vector<std::string> sweeps_, taken_;
  std::vector<fit::Target> targets_;
  analysis::SweepData data_;
  advise::SweepDefaults defaults_;
  advise::CandidateRules rules_;
  bool told_ = false;
};

int do_suggest(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  suggest_options(line);
  if (!line.parse(args)) return 0;
  if (line.has("points")) return suggest_of_table(line);
  if (line.positional().empty())
    throw Error(ErrorKind::input,
                "bitsweep suggest: expected SWEEP… or --points FILE.csv (see 'bitsweep runs' for what there is)");
  refuse_points_options(line, "suggest", {"map", "label", "units", "checkpoints", "pool"});
  return Advising(line).run();
}

}  // namespace

const Verb kSuggestVerb{"suggest", "Which runs to make next, by what they take from a prediction's variance per hour",
                        "SWEEP… | --points FILE.csv --target \"params=300M,tokens=1B\"",
                        "bitsweep suggest quickstart --variant llama --target params=2M,tokens=4M --hours 0.5",
                        do_suggest};

}  // namespace bitsweep::cli
