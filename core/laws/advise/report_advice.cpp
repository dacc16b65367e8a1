#include "advise/report_advice.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "advise/next_sweep.h"
#include "advise/places.h"
#include "advise/points_advice.h"
#include "base/error.h"
#include "base/units.h"
#include "fit/data_hash.h"
#include "predict/predictions.h"
#include "prepare/builds_at_hand.h"
#include "prepare/planning.h"
#include "prepare/programs.h"

namespace bitsweep::advise {
namespace {

constexpr double kSameValue = 1e-9;  // relative: what JSON keeps of a number
constexpr size_t kRanked = 5;
constexpr int kRuns = 8;  // of a batch, as `suggest` has it
constexpr const char* kNobody = "neither the worker nor the plugin was at hand to say what such a model is";

// Starts a worker where it is asked, so that one that is missing is missed there.
class LazyDescriber : public plan::Describer {
 public:
  std::vector<plan::DescribeAnswer> describe(const std::vector<plan::DescribeQuestion>& questions) override {
    return prepare::WorkerDescriber(prepare::worker_program(), prepare::plugin_folder()).describe(questions);
  }
};

std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  while (!line.empty() && line.back() == '.') line.pop_back();
  return line;
}

std::string shape_text(const json::object& options) {
  std::string text;
  for (const char* name : {"d_model", "n_layers", "n_heads", "d_ff"})
    if (const json::value* value = options.if_contains(name))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, canonical_json(*value));
  return text.empty() ? "as the plugin has it" : text;
}

class Adviser {
 public:
  Adviser(const fs::path& root, const analysis::ReportInput& input)
      : query_(root),
        store_(root, store::StoreMode::read_only),
        data_(analysis::law_data(input)),
        defaults_(sweep_defaults(store_, input.sweeps)),
        limit_(input.extrapolation_limit),
        describer_(worker_) {
    rules_.most_seeds = most_seeds(defaults_);
    for (const fit::Target& target : input.targets)
      if (target.params > 0 && target.tokens > 0) targets_.push_back(target);
    for (const query::SweepRow& sweep : query_.sweeps()) taken_.insert(sweep.name);
  }

  Advice advise() {
    std::vector<Subject> subjects = all_subjects();
    for (const Subject& subject : subjects) {
      if (!subject.no_sweep.empty()) continue;
      describer_.expect(
          candidate_questions(subject.references, subject.law->points, near(subject), defaults_.kept, rules_));
      for (const fit::Target& target : targets_)
        describer_.expect({question_of(subject.references, target.params, defaults_.kept)});
    }
    Advice advice;
    for (const Subject& subject : subjects) {
      for (const fit::Target& target : targets_) advice.plans.push_back(plan(subject, target));
      advice.next.push_back(subject.no_sweep.empty() ? next(subject, subjects.size() > 1) : next_as_places(subject));
    }
    return advice;
  }

 private:
  struct Subject {
    const analysis::LawData* law;
    std::vector<Reference> references;
    std::vector<plan::MeasuredSpeed> speeds;
    std::string no_sweep;  // why its runs are no sweep file: imported ones
  };

  std::vector<Subject> all_subjects() {
    std::vector<Subject> subjects;
    for (const analysis::LawData& law : data_.laws) {
      if (law.points.empty() || targets_.empty()) continue;
      Subject& subject = subjects.emplace_back();
      subject.law = &law;
      subject.no_sweep = why_no_sweep(data_, law);
      if (!subject.no_sweep.empty()) continue;
      subject.references = references_of(data_, law);
      subject.speeds = speeds_for(data_, law, store_);
    }
    return subjects;
  }

  std::vector<fit::Target> near(const Subject& subject) const { return near_targets(*subject.law, targets_, limit_); }

  analysis::NextRuns next_as_places(const Subject& subject) {
    analysis::NextRuns next = next_places(data_, *subject.law, near(subject), subject.no_sweep);
    take_name(next);
    return next;
  }

  analysis::TargetPlan plan(const Subject& subject, const fit::Target& target) {
    if (!subject.no_sweep.empty()) return plan_of_place(data_, *subject.law, target, limit_);
    analysis::TargetPlan plan;
    plan.group = subject.law->label;
    plan.variant = subject.law->variant;
    plan.target = target;
    plan.refused = too_far(fit::beyond(subject.law->points, target), limit_);
    if (!plan.refused.empty()) return plan;
    const Reference& nearest = nearest_reference(subject.references, target.params);
    if (const std::string& base = nearest.spec.train.init_from; !base.empty() && nearest.params != target.params) {
      plan.refused =
          fmt::format("its runs start from run {}, and keep its size of {}", base, format_count(nearest.params));
      return plan;
    }
    try {
      const plan::DescribeAnswer answer =
          describer_.describe({question_of(subject.references, target.params, defaults_.kept)}).at(0);
      if (!answer.description)
        plan.refused = first_line(answer.error);
      else
        fill(plan, subject, *answer.description);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::environment) throw;
      plan.refused = kNobody;
    }
    return plan;
  }

  static void fill(analysis::TargetPlan& plan, const Subject& subject, const plugin::Description& model) {
    const Reference& like = nearest_reference(subject.references, plan.target.params);
    plan::PlannedRun run;
    run.spec = like.spec;
    run.model = model;
    run.spec.model.options = model.options;
    const double share =
        static_cast<double>(like.spec.train.warmup) / static_cast<double>(std::max<int64_t>(1, like.spec.train.steps));
    const double steps = std::max(1.0, plan.target.tokens / static_cast<double>(run.spec.tokens_per_step()));
    run.spec.train.steps = std::llround(steps);
    run.spec.train.warmup = std::llround(share * steps);
    run.tokens = static_cast<double>(run.spec.tokens());
    run.flops = run.training_flops_per_token() * run.tokens;
    const auto time = estimate_time(run, subject.speeds);
    plan.like = like.id;
    plan.shape = shape_text(model.options);
    plan.params = static_cast<double>(model.params);
    plan.tokens = run.tokens;
    plan.flops = run.flops;
    plan.steps = run.spec.train.steps;
    plan.warmup = run.spec.train.warmup;
    plan.stored_bytes = model.stored_bytes;
    if (model.bytes)
      plan.bytes = analysis::TargetBytes{model.bytes->weights,     model.bytes->gradients, model.bytes->optimizer,
                                         model.bytes->activations, model.bytes->peak,      model.bytes->checkpoint()};
    if (time) {
      plan.hours = time->seconds / 3600;
      plan.hours_measured = time->measured;
    }
  }

  analysis::NextRuns next(const Subject& subject, bool several) {
    const analysis::LawData& law = *subject.law;
    analysis::NextRuns next;
    next.group = law.label;
    next.variant = law.variant;
    const std::vector<fit::Target> targets = near(subject);
    if (targets.empty()) {
      next.refused = kNoNearTarget;
      return next;
    }
    try {
      CandidateSet set =
          make_candidates(subject.references, law.points, targets, defaults_.kept, defaults_.seeds, rules_, describer_,
                          [&](const std::string& id) { return store_.state(id).has_value(); });
      if (set.runs.empty()) {
        next.refused = set.notes.empty() ? "no run can be made that is not there already" : first_line(set.notes[0]);
        return next;
      }
      const Costs costs = costs_of(set, data_, law, store_);
      SuggestOptions options;
      options.targets = targets;
      for (fit::Target& target : options.targets) {
        target.variant = law.variant;
        target.dataset = law.label;
      }
      options.limits.runs = kRuns;
      if (costs.spent > 0) options.limits.cost = costs.spent;
      const Suggestion s = suggest(law.points, as_candidates(set, law, costs), options);
      tell(next, s, set, costs);
      write(next, s, with_seeds(s, set), costs, law, several);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::environment && error.kind() != ErrorKind::input) throw;
      next.refused = error.kind() == ErrorKind::environment ? kNobody : first_line(error.what());
    }
    return next;
  }

  static analysis::NextRun run_of(const CandidateSet& set, const Costs& costs, size_t candidate, double takes) {
    const plan::PlannedRun& run = set.runs[candidate].run;
    return {
        static_cast<double>(run.model.params), run.tokens, run.spec.train.steps, costs.of[candidate], takes, {}, {}};
  }

  static void tell(analysis::NextRuns& next, const Suggestion& s, const CandidateSet& set, const Costs& costs) {
    next.law = s.law;
    next.hours = costs.hours;
    next.cost = s.cost;
    next.candidates = set.runs.size();
    next.target = s.targets[0].target;
    next.now = s.targets[0].half_width;
    next.outlook = outlook_lines(s, costs);
    next.leans_on_prior = s.leans_on_prior;
    for (size_t i = 0; i < std::min(kRanked, s.ranking.size()); ++i)
      next.ranking.push_back(run_of(set, costs, s.ranking[i].candidate, s.ranking[i].reduction));
    for (const SuggestedRun& picked : s.batch) {
      analysis::NextRun run = run_of(set, costs, picked.candidate, picked.reduction);
      run.expected = picked.loss;
      run.leaves = s.targets[0].half_width * std::sqrt(picked.remaining);
      next.batch.push_back(std::move(run));
    }
  }

  // Beside the report; the sweep's name is one that is free.
  void write(analysis::NextRuns& next, const Suggestion& s, const std::vector<ChosenRun>& chosen, const Costs& costs,
             const analysis::LawData& law, bool several) {
    if (chosen.empty()) return;
    const std::string name = next_name(data_.sweeps.at(0), several ? law.variant : "",
                                       [&](const std::string& n) { return !taken_.insert(n).second; });
    next.file = "next-" + slug(law.variant) + ".yaml";
    take_name(next);
    next.yaml = next_sweep(name, "bitsweep report", s, chosen, defaults_, costs, data_, law, targets_);
  }

  // A file's name once.
  void take_name(analysis::NextRuns& next) {
    const std::string stem = next.file.substr(0, next.file.rfind('.'));
    for (int k = 2; !next.file.empty() && !files_.insert(next.file).second; ++k)
      next.file = fmt::format("{}-{}.yaml", stem, k);
  }

  query::Query query_;
  store::Store store_;
  analysis::SweepData data_;
  SweepDefaults defaults_;
  double limit_;
  LazyDescriber worker_;
  CachingDescriber describer_;
  CandidateRules rules_;
  std::vector<fit::Target> targets_;
  std::set<std::string> taken_, files_;
};

// The fits that are kept, with the group each belongs to.
template <typename Visit>
void each_kept_fit(const analysis::Analysis& analysis, Visit visit) {
  for (const analysis::GroupAnalysis& g : analysis.groups)
    for (const analysis::LawFit& fit : g.fits)
      if (kept_for_later(fit)) visit(g, fit);
}

analysis::EarlierFit earlier_fit(const analysis::LawFit& fit, const std::string& dataset, std::string_view points,
                                 const json::object& result) {
  analysis::EarlierFit earlier{fit.law, fit.variant, dataset, {}, {}, {}};
  if (const auto ids = try_parse_json(points); ids && ids->is_array())
    for (const json::value& id : ids->get_array())
      if (id.is_string()) earlier.runs.emplace_back(id.get_string());
  if (const json::value* params = result.if_contains("params"); params != nullptr && params->is_object())
    for (const auto& member : params->get_object())
      if (member.value().is_number())
        earlier.params.emplace_back(std::string(member.key()), member.value().to_number<double>());
  if (const json::value* ranges = result.if_contains("intervals"); ranges != nullptr && ranges->is_object())
    for (const auto& member : ranges->get_object())
      if (const json::array* pair = member.value().if_array();
          pair != nullptr && pair->size() == 2 && (*pair)[0].is_number() && (*pair)[1].is_number())
        earlier.intervals[std::string(member.key())] = {(*pair)[0].to_number<double>(), (*pair)[1].to_number<double>()};
  return earlier;
}

// Sets of one data set (other bytes scored, another stride) have fits of one name: it is another set's where no run is
// in both. And it is this very fit, of a set that was called otherwise, where runs and values are the same.
bool is_of_these_runs(const analysis::EarlierFit& earlier, const analysis::LawFit& fit) {
  const std::set<std::string> then(earlier.runs.begin(), earlier.runs.end());
  std::set<std::string> now;
  for (const fit::Point& point : fit.points) now.insert(point.run);
  if (std::none_of(now.begin(), now.end(), [&](const std::string& run) { return then.contains(run); })) return false;
  if (then != now || earlier.params.size() != fit.result.params.size()) return true;
  for (const auto& [name, value] : earlier.params) {
    const auto same = [&, &name = name, value = value](const fit::NamedValue& v) {
      return v.name == name && std::abs(v.value - value) <= kSameValue * std::abs(value);
    };
    if (std::none_of(fit.result.params.begin(), fit.result.params.end(), same)) return true;
  }
  return false;
}

}  // namespace

analysis::Analysis analyse_sweeps(const fs::path& root, analysis::ReportInput& input) {
  prepare::BuildsAtHand at_hand;
  for (const analysis::MeasuredRun& run : input.runs) input.at_hand.emplace(run.row.plugin, at_hand.of(run.row.plugin));
  // A worker that says what models cost starts while the laws are fitted.
  std::future<Advice> advice;
  if (!input.targets.empty()) advice = std::async(std::launch::async, [&] { return advise(root, input); });
  analysis::Analysis analysis = analyse(input);
  if (advice.valid()) {
    Advice told = advice.get();
    input.plans = std::move(told.plans);
    input.next = std::move(told.next);
  }
  if (!input.loss) input.earlier = earlier_fits(root, input, analysis);  // those kept are of the validation loss
  return analysis;
}

Advice advise(const fs::path& root, const analysis::ReportInput& input) { return Adviser(root, input).advise(); }

std::vector<analysis::EarlierFit> earlier_fits(const fs::path& root, const analysis::ReportInput& input,
                                               const analysis::Analysis& analysis) {
  store::Store store(root, store::StoreMode::read_only);
  std::vector<analysis::EarlierFit> all;
  const std::string sweep = fmt::format("{}", fmt::join(input.sweeps, ","));
  each_kept_fit(analysis, [&](const analysis::GroupAnalysis& g, const analysis::LawFit& fit) {
    const auto last =
        store.last_reported_fit(sweep, fit.law, fit.variant, g.group.dataset, data_hash(fit.points));
    if (!last) return;
    analysis::EarlierFit earlier = earlier_fit(fit, g.group.dataset, last->points, last->result);
    if (is_of_these_runs(earlier, fit)) all.push_back(std::move(earlier));
  });
  return all;
}

void keep_fits(const fs::path& root, const analysis::ReportInput& input, const analysis::Analysis& analysis,
               Notes& notes) {
  try {
    store::Store store(root, store::StoreMode::create);
    each_kept_fit(analysis, [&](const analysis::GroupAnalysis& g, const analysis::LawFit& fit) {
      fit::FitOptions options;
      options.law = fit.law;
      options.axis = fit.result.axis;
      store::FitRecord record = predict::fit_record(input.sweeps, fit.points, g.group.dataset, options, fit.result);
      record.settings["by"] = "report";
      store.put_fit(record);
    });
  } catch (const Error& error) {
    notes.note(fmt::format("the next report will not be held against this one: {}", error.what()));
  }
}

}  // namespace bitsweep::advise
