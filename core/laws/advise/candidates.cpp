#include "advise/candidates.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analysis/run_settings.h"
#include "base/units.h"
#include "spec/keys.h"
#include "spec/run_spec.h"
#include "spec/sweep_sections.h"
#include "spec/tokenizers.h"

namespace bitsweep::advise {
namespace {

struct Range {
  double low = HUGE_VAL, high = 0;
  void add(double value) { low = std::min(low, value), high = std::max(high, value); }
};

bool shape_is_given(const spec::RunSpec& spec) { return analysis::starts_from_weights(spec.train.init_from); }

// The options of a model of this size: the reference's without its shape, where that is free.
json::object options_for(const spec::RunSpec& reference, double params, const json::object& kept) {
  if (shape_is_given(reference)) return reference.model.options;
  json::object options{{"params", params}};
  for (const auto& member : kept) options[member.key()] = member.value();
  for (const auto& member : reference.model.options)
    if (!analysis::is_shape_option(member.key())) options[member.key()] = member.value();
  return options;
}

// Rows of the embedding.
int64_t vocab_of(const spec::DataSpec& data) {
  if (data.vocab_rows > 0) return data.vocab_rows;
  return data.vocab > 0 ? data.vocab : spec::vocabulary_of(data.tokenizer).value_or(256);
}

class CandidateMaker {
 public:
  CandidateMaker(const std::vector<Reference>& references, const std::vector<fit::Point>& points,
                 const std::vector<fit::Target>& targets, const CandidateRules& rules)
      : references_(references), rules_(rules) {
    for (const fit::Point& point : points) add(point.params, point.tokens);
    for (const fit::Target& target : targets) {
      if (target.params > 0 && target.tokens > 0) ratio_.add(target.tokens / target.params);
      if (target.params > 0) params_.add(target.params);
      if (target.tokens > 0) tokens_.add(target.tokens);
    }
  }

  std::vector<plan::DescribeQuestion> questions(const json::object& kept) const {
    std::vector<plan::DescribeQuestion> questions;
    for (const double params : all_sizes()) questions.push_back(question_of(references_, params, kept));
    return questions;
  }

  CandidateSet make(const json::object& kept, const std::vector<int64_t>& seeds, plan::Describer& describer,
                    const std::function<bool(const std::string&)>& known_run) {
    if (of_given_shapes())
      set_.notes.emplace_back(
          "runs that start from another's weights (train.init_from) keep its shape: no other size can be proposed");
    const std::vector<double> sizes = all_sizes();
    const std::vector<plan::DescribeAnswer> models = describer.describe(questions(kept));
    size_t impossible = 0;
    std::set<std::string> told;
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (!models[i].description) {
        if (++impossible == 1) why_ = models[i].error;
        continue;
      }
      add_size(sizes[i], models[i], seeds, known_run);
    }
    if (impossible > 0)
      set_.notes.push_back(
          fmt::format("{} of {} sizes cannot be made by the plugin: {}", impossible, sizes.size(), why_));
    return std::move(set_);
  }

 private:
  bool of_given_shapes() const {
    return std::any_of(references_.begin(), references_.end(),
                       [](const Reference& r) { return shape_is_given(r.spec); });
  }

  std::vector<double> all_sizes() const {
    if (!of_given_shapes()) return size_ladder(params_.low / kBelowRuns, params_.high, rules_.sizes);
    std::vector<double> sizes;
    for (const Reference& reference : references_) sizes.push_back(reference.params);
    return sizes;
  }

  void add(double params, double tokens) { params_.add(params), tokens_.add(tokens), ratio_.add(tokens / params); }

  void add_size(double asked, const plan::DescribeAnswer& answer, const std::vector<int64_t>& seeds,
                const std::function<bool(const std::string&)>& known_run) {
    const plugin::Description& model = *answer.description;
    const auto size = static_cast<double>(model.params);
    for (const double tokens : size_ladder(tokens_.low / kBelowRuns, tokens_.high, rules_.lengths)) {
      CandidateRun candidate;
      candidate.asked_params = asked;
      plan::PlannedRun& run = candidate.run;
      run.spec = nearest_reference(references_, asked).spec;
      run.spec.model.options = model.options;
      run.spec.train.steps = static_cast<int64_t>(two_digits(tokens / static_cast<double>(run.spec.tokens_per_step())));
      if (run.spec.train.steps < std::max<int64_t>(1, 2 * run.spec.train.warmup)) continue;
      run.tokens = static_cast<double>(run.spec.tokens());
      if (run.tokens / size < ratio_.low / rules_.beyond || run.tokens / size > ratio_.high * rules_.beyond) continue;
      run.model = model;
      run.flops = run.training_flops_per_token() * run.tokens;
      run.flops_6nd = 6 * size * run.tokens;
      if (model.bytes) run.memory = {*model.bytes, answer.process_bytes, 0};
      add_seeds(candidate, seeds, known_run);
      if (candidate.seeds.empty() || !ids_.insert(candidate.run.id).second) continue;
      set_.runs.push_back(std::move(candidate));
    }
  }

  // The sweep's seeds first, then others; those of runs that exist are used.
  void add_seeds(CandidateRun& candidate, const std::vector<int64_t>& seeds,
                 const std::function<bool(const std::string&)>& known_run) const {
    std::vector<int64_t> order = seeds;
    for (int64_t seed = 0; order.size() < static_cast<size_t>(rules_.most_seeds); ++seed)
      if (std::find(order.begin(), order.end(), seed) == order.end()) order.push_back(seed);
    order.resize(static_cast<size_t>(rules_.most_seeds));
    for (const int64_t seed : order) {
      candidate.run.spec.seed = seed;
      if (!known_run(run_id(candidate.run.spec))) candidate.seeds.push_back(seed);
    }
    if (candidate.seeds.empty()) return;
    candidate.run.spec.seed = candidate.seeds[0];
    candidate.run.id = run_id(candidate.run.spec);
  }

  const std::vector<Reference>& references_;
  CandidateRules rules_;
  Range params_, tokens_, ratio_;
  CandidateSet set_;
  std::set<std::string> ids_;
  std::string why_;
};

// YAML's flow style, which JSON is a part of, with bare words where they are safe.
std::string yaml_text(const json::value& value) {
  if (value.is_object()) {
    std::string text;
    for (const auto& member : value.get_object())
      text +=
          fmt::format("{}{}: {}", text.empty() ? "" : ", ", std::string_view(member.key()), yaml_text(member.value()));
    return text.empty() ? "{}" : "{ " + text + " }";
  }
  if (value.is_array()) {
    std::string text;
    for (const json::value& item : value.get_array()) text += (text.empty() ? "" : ", ") + yaml_text(item);
    return "[" + text + "]";
  }
  return canonical_json(value);
}

// The sections of the file that all its runs share, from the largest one.
json::object base_sections(const plan::PlannedRun& run, const json::object& kept) {
  const spec::RunSpec& spec = run.spec;
  json::object model{{"plugin", spec.model.plugin}};
  // A sweep that did not name them would take today's defaults.
  for (const auto& member : run.model.implied) model[member.key()] = member.value();
  for (const auto& member : kept) model[member.key()] = member.value();
  for (const auto& member : spec.model.options)
    if (!analysis::is_shape_option(member.key())) model[member.key()] = member.value();
  json::object sections{{"model", std::move(model)}};
  for (auto& section : sweep_sections(spec)) sections[section.key()] = std::move(section.value());
  return sections;
}

// What a run has where its file's base says something of a key, and the run's own sections do not.
json::value unsaid(const std::string& path) {
  if (path == "data.documents") return "none";
  const spec::RunKey* key = spec::find_run_key(path);
  return key != nullptr && key->get != nullptr ? key->get(spec::RunSpec{}) : json::value(nullptr);
}

// Where it differs from the base: runs of other sizes have their own rates, and with eval.bytes tokenizers and
// contexts.
json::object case_of(const ChosenRun& chosen, const json::object& base) {
  const spec::RunSpec& spec = chosen.candidate->run.spec;
  json::object row;
  if (!shape_is_given(spec)) row["model.params"] = chosen.candidate->asked_params;
  if (shape_is_given(spec))
    for (const auto& member : spec.model.options)
      if (analysis::is_shape_option(member.key())) row["model." + std::string(member.key())] = member.value();
  row["train.steps"] = spec.train.steps;
  const json::object own = sweep_sections(spec);
  for (const auto& section : own) {
    const json::object& mine = section.value().get_object();
    const json::object& shared = base.at(section.key()).get_object();
    const auto put = [&](std::string_view key, const json::value& value) {
      const std::string path = fmt::format("{}.{}", std::string_view(section.key()), key);
      if (!spec::names_no_run(path)) row[path] = value;  // else as the largest run has it
    };
    for (const auto& member : mine)
      if (const json::value* same = shared.if_contains(member.key()); same == nullptr || *same != member.value())
        put(member.key(), member.value());
    for (const auto& member : shared)
      if (!mine.contains(member.key()))
        put(member.key(),
            unsaid(fmt::format("{}.{}", std::string_view(section.key()), std::string_view(member.key()))));
  }
  row["seed"] = chosen.seed;
  return row;
}

}  // namespace

double two_digits(double value) {
  const double unit = std::pow(10, std::floor(std::log10(value)) - 1);
  return std::round(value / unit) * unit;
}

std::vector<double> size_ladder(double low, double high, size_t most) {
  const double octaves = std::log2(std::max(1.0, high / low));
  const size_t count = std::clamp<size_t>(static_cast<size_t>(std::ceil(2 * octaves)) + 1, 2, most);
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) {
    const double value =
        two_digits(low * std::pow(high / low, static_cast<double>(i) / static_cast<double>(count - 1)));
    if (values.empty() || value > values.back() * 1.001) values.push_back(value);
  }
  return values;
}

std::vector<Reference> references_of(const analysis::SweepData& data, const analysis::LawData& law) {
  std::map<int64_t, size_t> best;  // by params
  for (const size_t r : law.runs) {
    const auto [known, fresh] = best.emplace(data.runs[r].params, r);
    if (!fresh && *data.runs[r].last_val_bpc < *data.runs[known->second].last_val_bpc) known->second = r;
  }
  std::vector<Reference> references;
  for (const auto& [params, r] : best)
    references.push_back({spec::run_spec_from_json(data.runs[r].spec), static_cast<double>(params), data.runs[r].id});
  return references;
}

const Reference& nearest_reference(const std::vector<Reference>& references, double params) {
  return *std::min_element(references.begin(), references.end(), [&](const Reference& a, const Reference& b) {
    return std::abs(std::log(a.params / params)) < std::abs(std::log(b.params / params));
  });
}

plan::DescribeQuestion question_of(const std::vector<Reference>& references, double params, const json::object& kept) {
  const spec::RunSpec& spec = nearest_reference(references, params).spec;
  return {spec.model.plugin,
          {.options = options_for(spec, params, kept),
           .vocab = vocab_of(spec.data),
           .context = spec.data.context,
           .sequences = std::max<int64_t>(1, spec.train.batch / spec.train.accumulate),
           .accumulates = spec.train.accumulate > 1,
           .precision = spec.train.precision}};
}

std::vector<plan::DescribeQuestion> candidate_questions(const std::vector<Reference>& references,
                                                        const std::vector<fit::Point>& points,
                                                        const std::vector<fit::Target>& targets,
                                                        const json::object& kept, const CandidateRules& rules) {
  return CandidateMaker(references, points, targets, rules).questions(kept);
}

CandidateSet make_candidates(const std::vector<Reference>& references, const std::vector<fit::Point>& points,
                             const std::vector<fit::Target>& targets, const json::object& kept,
                             const std::vector<int64_t>& seeds, const CandidateRules& rules, plan::Describer& describer,
                             const std::function<bool(const std::string&)>& known_run) {
  return CandidateMaker(references, points, targets, rules).make(kept, seeds, describer, known_run);
}

spec::RunSpec spec_of(const ChosenRun& chosen) {
  spec::RunSpec spec = chosen.candidate->run.spec;
  spec.seed = chosen.seed;
  return spec;
}

std::string sweep_yaml(const std::string& name, const std::vector<std::string>& head,
                       const std::vector<ChosenRun>& chosen, const json::object& kept, const json::object& resources,
                       const std::string& law, const std::vector<fit::Target>& targets) {
  const json::object base = base_sections(chosen.at(0).candidate->run, kept);
  std::string text;
  for (const std::string& line : head) text += "# " + line + "\n";
  text += "name: " + name + "\n";
  for (const auto& section : base)
    text += fmt::format("{}: {}\n", std::string_view(section.key()), yaml_text(section.value()));
  if (!resources.empty()) text += "resources: " + yaml_text(resources) + "\n";
  text += "cases:\n";
  for (const ChosenRun& run : chosen) text += fmt::format("  - {}  # {}\n", yaml_text(case_of(run, base)), run.comment);
  json::array list;
  for (const fit::Target& target : targets)
    list.push_back(json::object{{"params", target.params}, {"tokens", target.tokens}});
  return text + "report: " + yaml_text(json::object{{"laws", json::array{law}}, {"targets", std::move(list)}}) + "\n";
}

}  // namespace bitsweep::advise
