#include "plan/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>

#include "base/units.h"
#include "spec/also_value.h"
#include "spec/corpus_value.h"
#include "spec/problems.h"
#include "spec/tokenizer_value.h"
#include "spec/tokenizers.h"

namespace bitsweep::plan {
namespace {

// Where a text, or a part of a mixture, holds less to validate on than eval.bytes asks of it.
std::vector<std::string> fewer_bytes_notes(const PlannedData& data, int64_t asked) {
  const std::vector<int64_t>& there = data.facts.val_bytes;
  const std::string begin = fmt::format("eval.bytes asks for {} bytes", format_thousands(asked));
  if (there.size() == 1) {
    const std::string name = spec::corpus_name(data.spec.val.empty() ? data.spec.corpus : data.spec.val);
    if (there[0] >= asked) return {};
    return {fmt::format("{}, and '{}' has {} to validate on: all of them are scored", begin, name,
                        format_thousands(there[0]))};
  }
  std::vector<std::string> notes;
  const std::vector<int64_t> shares = there.empty() ? there : spec::mixture_shares(data.spec.mixture);
  for (size_t i = 0; i < there.size(); ++i) {
    const int64_t share = asked * shares.at(i) / spec::mixture_block;
    if (there[i] >= share) continue;
    notes.push_back(fmt::format("{}, {} of them of '{}', which has {} to validate on: all of those are scored", begin,
                                format_thousands(share), spec::corpus_name(data.spec.mixture.at(i).corpus),
                                format_thousands(there[i])));
  }
  return notes;
}

// Two runs with the same answer to this open the same data.
std::string data_key(const spec::DataSpec& data) {
  spec::RunSpec spec;
  spec.data = data;
  return canonical_json(to_json(spec).at("data"));
}

class Planner {
 public:
  Planner(spec::Sweep sweep, Describer& describer, DatasetProbe& probe)
      : describer_(describer), probe_(probe), runs_(std::move(sweep.runs)) {
    sweep.runs.clear();
    plan_.sweep = std::move(sweep);
    plan_.notes = plan_.sweep.notes;
  }

  Plan run() {
    probe_data();
    probe_beside();
    tell_short_texts();
    describe_models();
    problems_.throw_if_any();
    for (size_t i = 0; i < runs_.size(); ++i) resolve(i);
    problems_.throw_if_any();
    conclude();
    return std::move(plan_);
  }

 private:
  void probe_data() {
    std::unordered_map<std::string, size_t> known;
    for (const spec::ExpandedRun& run : runs_) {
      const auto [entry, fresh] = known.emplace(data_key(run.spec.data), facts_.size());
      if (fresh) {
        facts_.push_back(probe_one(run));
        plan_.data.push_back({resolved(run.spec.data, facts_.back()), facts_.back(), ""});
      }
      data_of_.push_back(entry->second);
    }
  }

  // Each text of eval.also once a tokenizer and context.
  void probe_beside() {
    std::unordered_map<std::string, size_t> known;
    for (size_t i = 0; i < runs_.size(); ++i) {
      const spec::DataSpec own = resolved(runs_[i].spec.data, facts_[data_of_[i]]);
      std::vector<size_t>& texts = beside_.emplace_back();
      for (const spec::AlsoSpec& text : runs_[i].spec.eval.also) {
        const std::string key = canonical_json(json::array{spec::to_json(std::vector{text}), spec::tokenizer_json(own),
                                                           own.tokenizer_sha256, own.context});
        const auto [entry, fresh] = known.emplace(key, plan_.data.size());
        if (fresh) plan_.data.push_back(probe_text(runs_[i], own, text));
        texts.push_back(entry->second);
      }
    }
  }

  PlannedData probe_text(const spec::ExpandedRun& run, const spec::DataSpec& own, const spec::AlsoSpec& text) {
    DatasetFacts facts = probe_.probe_beside(own, text);
    const YamlPlace& place = run.also_place.file ? run.also_place : run.place;
    for (const DataProblem& problem : facts.problems)
      problems_.add(place, fmt::format("eval.also.{}: {}", text.name, problem.message));
    for (const std::string& note : facts.notes) add_note(note);
    spec::DataSpec shown = text.data();
    shown.tokenizer = own.tokenizer;
    shown.recipe = own.recipe;
    shown.context = own.context;
    return {resolved(std::move(shown), facts), facts, text.name};
  }

  void tell_short_texts() {
    std::set<std::pair<size_t, int64_t>> told;
    for (size_t i = 0; i < runs_.size(); ++i) {
      const int64_t asked = runs_[i].spec.eval.bytes;
      if (asked == 0) continue;
      const auto tell = [&](size_t data) {
        if (!told.insert({data, asked}).second) return;
        for (std::string& note : fewer_bytes_notes(plan_.data[data], asked)) add_note(std::move(note));
      };
      tell(data_of_[i]);
      for (const size_t text : beside_[i]) tell(text);
    }
  }

  // Of the texts that the run maps.
  int64_t data_bytes(size_t run) const {
    int64_t bytes = facts_[data_of_[run]].bytes;
    for (const size_t text : beside_[run]) bytes += plan_.data[text].facts.bytes;
    return bytes;
  }

  static spec::DataSpec resolved(spec::DataSpec data, const DatasetFacts& facts) {
    data.sha256 = facts.sha256;
    data.tokenizer_sha256 = facts.tokenizer_sha256;
    data.documents = facts.documents;
    data.documents_sha256 = facts.documents_sha256;
    if (!data.tokenizer_sha256.empty()) {
      data.vocab = facts.vocab;
      data.bytes_per_token = facts.bytes_per_token;
    }
    return data;
  }

  // What is wrong with a text is told where the sweep names it.
  static const YamlPlace& blamed(const spec::ExpandedRun& run, std::string_view key) {
    const YamlPlace& own = key == "data.tokenizer" ? run.tokenizer_place
                           : key == "data.val"     ? run.val_place
                                                   : run.corpus_place;
    return own.file ? own : run.corpus_place.file ? run.corpus_place : run.place;
  }

  DatasetFacts probe_one(const spec::ExpandedRun& run) {
    DatasetFacts facts = probe_.probe(run.spec.data);
    for (const DataProblem& problem : facts.problems) problems_.add(blamed(run, problem.key), problem.message);
    for (const std::string& note : facts.notes) add_note(note);
    return facts;
  }

  void describe_models() {
    std::unordered_map<std::string, size_t> known;
    std::vector<DescribeQuestion> questions;
    for (size_t i = 0; i < runs_.size(); ++i) {
      const spec::RunSpec& spec = runs_[i].spec;
      // What the data set says, if it could be opened; else what the tokenizer is known to have.
      const int64_t told = facts_[data_of_[i]].vocab;
      const int64_t vocab = told > 0 ? told : spec::vocabulary_of(spec.data.tokenizer).value_or(256);
      DescribeQuestion question{spec.model.plugin,
                                {.options = spec.model.options,
                                 .vocab = vocab,
                                 .context = spec.data.context,
                                 .sequences = std::max<int64_t>(1, spec.train.batch / spec.train.accumulate),
                                 .accumulates = spec.train.accumulate > 1,
                                 .precision = spec.train.precision,
                                 .gradients = spec.train.gradients,
                                 .defaults = runs_[i].option_defaults},
                                spec.train.freeze};
      const std::string key =
          canonical_json(json::array{question.plugin, to_json(question.request), strings_json(question.freeze)});
      const auto [entry, fresh] = known.emplace(key, questions.size());
      if (fresh) questions.push_back(std::move(question));
      model_of_.push_back(entry->second);
    }
    models_ = describer_.describe(questions);
    if (models_.size() != questions.size())
      throw Error(ErrorKind::environment,
                  fmt::format("{} models were described instead of {}", models_.size(), questions.size()));
    std::set<size_t> told;
    for (size_t i = 0; i < runs_.size(); ++i) {
      const DescribeAnswer& answer = models_[model_of_[i]];
      if (!told.insert(model_of_[i]).second) continue;
      if (!answer.description) tell(answer.error, runs_[i].model_place, runs_[i]);
      tell(answer.freeze_error, runs_[i].freeze_place, runs_[i]);
    }
    for (size_t i = 0; i < runs_.size(); ++i) check_gradients(runs_[i], models_[model_of_[i]]);
  }

  // Once for each reason.
  void check_gradients(const spec::ExpandedRun& run, const DescribeAnswer& answer) {
    const std::string& device = plan_.sweep.resources.device;
    if (!run.spec.train.rounds_gradients() || !answer.description) return;
    std::string why = answer.description->only_f32_because();
    if (why.empty() && device.starts_with("cuda"))
      why = fmt::format("they are rounded on a CPU alone, and 'resources.device' is {}", device);
    if (why.empty() || !unrounded_.insert(why).second) return;
    tell(fmt::format("'train.gradients' must be f32 here, found '{}': {}", run.spec.train.gradients, why),
         run.gradients_place, run);
  }

  // Findings, a line each, at the key's place, if the sweep has it.
  void tell(const std::string& findings, const YamlPlace& key, const spec::ExpandedRun& run) {
    std::istringstream lines(findings);
    for (std::string finding; std::getline(lines, finding);)
      problems_.add(key.file ? key : run.place,
                    fmt::format("{}; at {}", finding, spec::point_text(run.axes, run.spec.seed)));
  }

  // Steps from whatever the budget is in; 0 when that is not even one.
  static double steps(const spec::ExpandedRun& run, const DatasetFacts& data) {
    const auto a_step = static_cast<double>(run.spec.tokens_per_step());
    if (run.budget.tokens) return std::ceil(*run.budget.tokens / a_step);
    if (run.budget.epochs) return std::floor(*run.budget.epochs * static_cast<double>(data.train_tokens) / a_step);
    return static_cast<double>(run.budget.steps.value_or(0));
  }

  void resolve(size_t i) {
    spec::ExpandedRun& run = runs_[i];
    const DatasetFacts& data = facts_[data_of_[i]];
    if (run.budget.epochs && data.estimated) {
      problems_.add(
          run.budget_place,
          fmt::format("'train.epochs' needs the exact number of tokens, which is known when the text is encoded: "
                      "'bitsweep tokenize' does that, and so do submit and run; at {}",
                      spec::point_text(run.axes, run.spec.seed)));
      return;
    }
    const double count = steps(run, data);
    if (count < 1 || count > 1e9) {
      problems_.add(
          run.budget_place,
          fmt::format("the budget comes to {:.0f} steps of {} tokens; from 1 to 1,000,000,000 are possible; at {}",
                      count, format_thousands(run.spec.tokens_per_step()), spec::point_text(run.axes, run.spec.seed)));
      return;
    }
    PlannedRun planned;
    planned.spec = std::move(run.spec);
    planned.axes = std::move(run.axes);
    planned.init_place = std::move(run.init_place);
    const DescribeAnswer& answer = models_[model_of_[i]];
    planned.model = *answer.description;
    if (planned.model.bytes) planned.memory = {*planned.model.bytes, answer.process_bytes, data_bytes(i)};
    planned.spec.model.options = planned.model.options;
    planned.spec.train.steps = static_cast<int64_t>(count);
    planned.spec.data = resolved(std::move(planned.spec.data), data);
    planned.id = run_id(planned.spec);
    planned.tokens = static_cast<double>(planned.spec.tokens_per_step()) * count;
    planned.epochs = data.train_tokens > 0 ? planned.tokens / static_cast<double>(data.train_tokens) : 0;
    planned.flops = planned.training_flops_per_token() * planned.tokens;
    planned.flops_6nd = 6 * static_cast<double>(planned.model.params) * planned.tokens;
    keep(std::move(planned));
  }

  void keep(PlannedRun run) {
    const auto [known, fresh] = index_.emplace(run.id, plan_.runs.size());
    if (fresh) {
      plan_.runs.push_back(std::move(run));
    } else if (++same_ == 1) {
      const PlannedRun& first = plan_.runs[known->second];
      same_text_ = fmt::format("({}) and ({})", spec::point_text(first.axes, first.spec.seed),
                               spec::point_text(run.axes, run.spec.seed));
    }
  }

  void conclude() {
    if (same_ > 0)
      add_note(fmt::format("{} {} to the same run as another, e.g. {}", same_,
                           same_ == 1 ? "point comes" : "points come", same_text_));
    int64_t repeated = 0, unwarmed = 0, unsaved = 0, rounded = 0;
    double most = 0;
    for (const PlannedRun& run : plan_.runs) {
      const spec::TrainSpec& train = run.spec.train;
      // Whole steps may pass the end of the text by less than one of them.
      if (run.epochs > 1.005) ++repeated;
      most = std::max(most, run.epochs);
      if (train.warmup >= train.steps) ++unwarmed;
      if (!run.spec.checkpoint.keep_last) ++unsaved;
      if (train.rounds_gradients() && plan_.sweep.resources.device == "any") ++rounded;
    }
    if (repeated > 0)
      add_note(
          fmt::format("runs that see the training text more than once: {}, up to {:.1f} times; the data term of a "
                      "scaling law counts fresh tokens",
                      repeated, most));
    if (unwarmed > 0)
      add_note(fmt::format("runs that end within the warmup and never reach their learning rate: {}", unwarmed));
    if (rounded > 0)
      add_note(fmt::format("runs that go to the CPU, because only there their gradients are rounded: {}", rounded));
    if (unsaved > 0)
      add_note(fmt::format("runs that keep no last checkpoint, so that an interruption starts them anew: {}", unsaved));
  }

  void add_note(std::string note) {
    if (std::find(plan_.notes.begin(), plan_.notes.end(), note) == plan_.notes.end())
      plan_.notes.push_back(std::move(note));
  }

  Describer& describer_;
  DatasetProbe& probe_;
  std::vector<spec::ExpandedRun> runs_;
  Plan plan_;
  spec::Problems problems_;
  std::vector<DatasetFacts> facts_;
  std::vector<size_t> data_of_, model_of_;   // of each run
  std::vector<std::vector<size_t>> beside_;  // of each run: its texts of eval.also, in plan_.data
  std::vector<DescribeAnswer> models_;
  std::set<std::string> unrounded_;                // why gradients are not rounded, as far as it was told
  std::unordered_map<std::string, size_t> index_;  // by id
  int64_t same_ = 0;
  std::string same_text_;
};

}  // namespace

PlanTotals Plan::totals() const {
  PlanTotals totals;
  totals.runs = static_cast<int64_t>(runs.size());
  totals.seconds = totals.seconds_left = 0;
  totals.memory_bytes = totals.checkpoint_bytes = 0;
  for (const PlannedRun& run : runs) {
    totals.tokens += run.tokens;
    totals.flops += run.flops;
    const bool done = run.state == "done";
    if (done) ++totals.done;
    if (!run.time) totals.seconds = std::nullopt;
    if (!run.time && !done) totals.seconds_left = std::nullopt;
    if (run.time && totals.seconds) *totals.seconds += run.time->seconds;
    if (run.time && !done && totals.seconds_left) *totals.seconds_left += run.time->seconds;
    if (!run.memory) {
      totals.memory_bytes = totals.checkpoint_bytes = std::nullopt;
    } else if (totals.memory_bytes) {
      totals.memory_bytes = std::max(*totals.memory_bytes, run.memory->total_bytes());
      *totals.checkpoint_bytes += run.memory->tensors.checkpoint() * run.checkpoints();
    }
  }
  return totals;
}

Plan make_plan(spec::Sweep sweep, Describer& describer, DatasetProbe& probe) {
  return Planner(std::move(sweep), describer, probe).run();
}

std::vector<std::string> memory_notes(const Plan& plan, std::string_view device, int64_t available_bytes,
                                      int64_t slots) {
  int64_t beyond = 0, crowded = 0, most = 0;
  for (const PlannedRun& run : plan.runs) {
    if (!run.memory || run.state == "done") continue;
    const int64_t need = run.memory->total_bytes();
    if (need > available_bytes) ++beyond;
    if (need <= available_bytes && need * slots > available_bytes) ++crowded;
    most = std::max(most, need);
  }
  const auto text = [](int64_t bytes) { return format_bytes(static_cast<double>(bytes)); };
  std::vector<std::string> notes;
  if (beyond > 0)
    notes.push_back(
        fmt::format("runs that do not fit: {} of {}, the largest with {}, while {} has {}; a smaller train.batch, or "
                    "train.accumulate, takes less",
                    beyond, plan.runs.size(), text(most), device, text(available_bytes)));
  if (crowded > 0)
    notes.push_back(fmt::format("runs of which {} at once do not fit into the {} of {}: {} of {}", slots,
                                text(available_bytes), device, crowded, plan.runs.size()));
  return notes;
}

std::string path_note(const Plan& plan) {
  std::map<std::string, int64_t> by_blocks;  // why
  int64_t own = 0, blocks = 0;
  for (const PlannedRun& run : plan.runs) {
    if (!run.model.path) continue;
    ++(run.model.path->own ? own : blocks);
    if (!run.model.path->own) ++by_blocks[run.model.path->because];
  }
  if (own == 0 || blocks == 0) return "";
  std::string reasons;
  for (const auto& [because, count] : by_blocks)
    reasons += fmt::format("{}{} ({})", reasons.empty() ? "" : "; ", because, count);
  return fmt::format("on a CPU, {} of {} runs are computed by the model's own engine and {} by blocks: {}", own,
                     plan.runs.size(), blocks, reasons);
}

}  // namespace bitsweep::plan
