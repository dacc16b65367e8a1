#include "imports/log_reader.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/metric_kind.h"
#include "imports/log_values.h"
#include "imports/run_order.h"

namespace bitsweep::imports {
namespace {

constexpr std::string_view kOfEvents[] = {"val_bpc",   "train_bpc",    "tokens",   "lr",
                                          "grad_norm", "tokens_per_s", "elapsed_s"};
constexpr std::string_view kMustBeRight[] = {"val_bpc", "tokens", "params", "batch", "context", "step"};
constexpr std::string_view kLeftOut[] = {"attempt", "seq", "best"};  // numbered and found anew
constexpr std::string_view kLosses[] = {"loss", "final_loss", "last_val_bpc", "best_val_bpc"};
constexpr size_t kMostNames = 12;

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// A value that a better one has taken the place of.
void demote(NamedRow& row, std::string_view ours, std::string theirs, json::value value, int rank) {
  if ((LogName{ours, rank}.is_loose() || ours == "val_loss") && !holds(kLeftOut, theirs))
    row.rest[theirs] = std::move(value);
}

void put(NamedRow& row, const LogNames& names, const LogField& field) {
  const auto [ours, rank] = names.ours(field.name);
  if (ours.empty()) {
    if (!field.value.is_structured() && !holds(kLeftOut, field.name)) row.rest[field.name] = field.value;
    return;
  }
  if (field.value.is_structured()) return;  // a model described by an object has no name here
  NamedRow::Value fresh{field.value, field.name, rank, field.column};
  const auto known = row.ours.find(ours);
  if (known == row.ours.end()) {
    row.ours.emplace(ours, std::move(fresh));
  } else if (rank < known->second.rank) {
    demote(row, ours, std::move(known->second.theirs), std::move(known->second.value), known->second.rank);
    known->second = std::move(fresh);
  } else {
    demote(row, ours, field.name, field.value, rank);
  }
}

// A row of the table of runs that `export` writes.
bool is_described(const LogRow& row) {
  static constexpr std::string_view kOwn[] = {"id", "sweep", "state", "plugin", "seed", "params", "steps"};
  return std::all_of(std::begin(kOwn), std::end(kOwn), [&](std::string_view name) {
    return std::any_of(row.fields.begin(), row.fields.end(), [&](const LogField& field) { return field.name == name; });
  });
}

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

const NamedRow::Value* NamedRow::find(std::string_view name) const {
  const auto at = ours.find(name);
  return at == ours.end() ? nullptr : &at->second;
}

std::string NamedRow::text(std::string_view name) const {
  const Value* found = find(name);
  if (found == nullptr || found->value.is_null()) return "";
  return found->value.is_string() ? std::string(found->value.get_string()) : compact_json(found->value);
}

NamedRow named_row(const LogRow& row, const LogNames& names) {
  NamedRow named{.line = row.line, .ours = {}, .rest = {}};
  for (const LogField& field : row.fields) put(named, names, field);
  return named;
}

void LogReader::add(const LogRow& raw) {
  const NamedRow row = named_row(raw, names_);
  if (is_described(raw)) return add_described(row);
  for (const auto& [key, value] : row.rest) seen_.insert(key);
  for (const auto& [ours, value] : row.ours) seen_.insert(value.theirs);
  const bool steps = row.find("step") != nullptr;
  any_step_ |= steps;
  const bool has_loss = row.find("val_bpc") != nullptr || row.find("val_loss") != nullptr ||
                        std::any_of(row.rest.begin(), row.rest.end(),
                                    [](const auto& member) { return holds(kLosses, plain_name(member.key())); });
  if (!steps && has_loss) ++losses_without_step_;
  const std::string named = row.text("run");
  ForeignRun* run = nullptr;
  if (!named.empty() || steps) run = &run_named(named.empty() ? stem_ : named, !named.empty());
  learn(row, run != nullptr ? run->facts : facts_);
  const std::string kind = row.text("event");
  if (kind == "end" && run != nullptr) run->status = row.text("status");
  if (kind == "start" || kind == "end" || kind == "config" || run == nullptr || !steps) return;
  add_event(row, kind, *run);
}

void LogReader::add_described(const NamedRow& row) {
  const auto text = [&](const char* name) { return string_or(row.rest, name, ""); };
  // An id of digits alone is a number to a table.
  const json::value* id = row.rest.if_contains("id");
  DescribedRun& run = described_.emplace_back();
  run.name = id == nullptr || id->is_string() ? text("id") : compact_json(*id);
  run.state = text("state");
  learn(row, run.facts);
}

ForeignRun& LogReader::run_named(const std::string& name, bool is_named) {
  const auto [at, fresh] = index_.emplace(name, runs_.size());
  if (fresh) {
    runs_.emplace_back();
    runs_.back().name = name;
    runs_.back().is_named = is_named;
  }
  return runs_[at->second];
}

void LogReader::mistake(const NamedRow& row, const NamedRow::Value& value, const std::string& kind,
                        const std::string& message) {
  tally_.mistake(value.theirs + kind, row.line, value.column, fmt::format("{} {}", excerpt(value.theirs), message));
}

// Nothing where there is none; NaN where it is said not to be finite. Of what the rest does not hang on, a value that
// is none is left out with a word.
std::optional<double> LogReader::number(const NamedRow& row, std::string_view name) {
  const NamedRow::Value* found = row.find(name);
  if (found == nullptr) return std::nullopt;
  const auto number = log_number(found->value);
  std::string wrong;
  if (!number)
    wrong = fmt::format("must be a number, not '{}'", excerpt(row.text(name)));
  else if (!std::isfinite(*number))
    return std::nan("");
  else if (*number < 0)
    wrong = fmt::format("must not be negative, but is {}", excerpt(row.text(name)));
  if (wrong.empty()) return number;
  const std::string kind = number ? "negative" : "number";
  if (number && (name == "val_bpc" || name == "train_bpc")) return number;  // told with the losses that are 0
  if (holds(kMustBeRight, name))
    mistake(row, *found, kind, wrong);
  else
    tally_.note(found->theirs + kind, row.line, fmt::format("{} {}: left out", excerpt(found->theirs), wrong));
  return std::nullopt;
}

// A loss is above 0: what is not is missing, whoever wrote it.
double LogReader::loss(const NamedRow& row, std::string_view name, double value) {
  if (!(value <= 0)) return value * format_.bits_per_unit;
  const std::string& theirs = row.find(name)->theirs;
  tally_.note(theirs + "not above", row.line,
              fmt::format("{} is {}: a loss is above 0, so this one counts as missing", excerpt(theirs),
                          excerpt(row.text(name))));
  return std::nan("");
}

void LogReader::learn(const NamedRow& row, ForeignFacts& facts) {
  const auto take = [&](std::string_view name, std::optional<double>& fact) {
    const auto value = fact ? std::nullopt : number(row, name);
    if (value && std::isfinite(*value)) fact = value;
  };
  take("params", facts.params);
  take("batch", facts.batch);
  take("context", facts.context);
  learn_seed(row, facts);
  if (facts.plugin.empty()) facts.plugin = row.text("plugin");
  if (facts.dataset.empty()) facts.dataset = row.text("dataset");
  if (facts.tokenizer.empty()) facts.tokenizer = row.text("tokenizer");
}

void LogReader::learn_seed(const NamedRow& row, ForeignFacts& facts) {
  const NamedRow::Value* told = row.find("seed");
  if (told == nullptr || told->value.is_null() || !facts.seed.is_null() || facts.seed_is_lost) return;
  if (const auto seed = exact_seed(told->value)) {
    facts.seed = *seed;
    return;
  }
  facts.seed_is_lost = true;
  tally_.note("seed", row.line,
              fmt::format("seed {} is no whole number of 64 bits that is known digit for digit: left out",
                          excerpt(row.text("seed"))));
}

// What was told before or beside the runs holds for each.
void LogReader::fill(ForeignFacts& facts) const {
  for (auto fact : {&ForeignFacts::params, &ForeignFacts::batch, &ForeignFacts::context})
    if (!(facts.*fact)) facts.*fact = facts_.*fact;
  for (auto fact : {&ForeignFacts::plugin, &ForeignFacts::dataset, &ForeignFacts::tokenizer})
    if ((facts.*fact).empty()) facts.*fact = facts_.*fact;
  if (facts.seed.is_null() && !facts.seed_is_lost) {
    facts.seed = facts_.seed;
    facts.seed_is_lost = facts_.seed_is_lost;
  }
}

std::optional<int64_t> LogReader::step_of(const NamedRow& row) {
  const NamedRow::Value& told = *row.find("step");
  const auto step = number(row, "step");
  if (!step) return std::nullopt;
  if (std::isnan(*step)) {
    tally_.note("no step", row.line, "step is missing: left out", told.column);
    return std::nullopt;
  }
  if (*step == std::floor(*step) && *step <= 1e15) return static_cast<int64_t>(*step);
  mistake(row, told, "whole", fmt::format("must be a whole number, not '{}'", excerpt(row.text("step"))));
  return std::nullopt;
}

void LogReader::add_event(const NamedRow& row, const std::string& kind, ForeignRun& run) {
  const auto step = step_of(row);
  const bool eval = row.find("val_bpc") != nullptr || (loss_a_token_ && row.find("val_loss") != nullptr);
  event::Event event{.kind = eval           ? "eval"
                             : kind.empty() ? "log"
                                            : kind,
                     .run = "",
                     .attempt = 0,
                     .seq = 0,
                     .step = step.value_or(0),
                     .time = 0,
                     .fields = {}};
  put_fields(row, event, run);
  put_time(row, event);
  for (const auto& [key, value] : row.rest)
    if (!event.fields.contains(key)) event.fields[key] = value;
  if (step) run.events.push_back(std::move(event));
}

void LogReader::put_fields(const NamedRow& row, event::Event& event, ForeignRun& run) {
  for (const std::string_view name : kOfEvents) {
    auto value = number(row, name);
    if (!value) continue;
    if (name == "val_bpc" || name == "train_bpc") value = loss(row, name, *value);
    event.fields[name] = finite_or_null(*value);
  }
  const NamedRow::Value* told = row.find("val_loss");
  if (told == nullptr) return;
  any_loss_a_token_ = true;
  event.fields[told->theirs] = told->value;
  const auto nats = log_number(told->value);
  if (loss_a_token_) {
    event.fields["val_bpc"] = finite_or_null(nats ? loss(row, "val_loss", *nats) : std::nan(""));
    return;
  }
  const double bits = number_or(event.fields, "val_bpc", 0);
  if (nats && std::isfinite(*nats) && *nats > 0 && bits > 0)
    ratios_[run.name].push_back(bytes_per_token(*nats, bits / format_.bits_per_unit));
}

void LogReader::put_time(const NamedRow& row, event::Event& event) {
  const NamedRow::Value* told = row.find("time");
  if (told == nullptr || told->value.is_null()) return;
  const auto time = log_time(told->value);
  if (!time)
    tally_.note("time", row.line,
                fmt::format("{} '{}' is no time that is known here (unix seconds, milliseconds …, ISO 8601): left out",
                            excerpt(told->theirs), excerpt(row.text("time"))));
  else if (!time->since_start)
    event.time = time->value;
  else if (!event.fields.contains("elapsed_s"))
    event.fields["elapsed_s"] = time->value;
}

bool LogReader::any_eval() const {
  return std::any_of(runs_.begin(), runs_.end(), [](const ForeignRun& run) { return run.evals() > 0; });
}

std::vector<ForeignRun> LogReader::finish() {
  if (!any_eval()) {
    if (!described_.empty()) return {};
    if (!any_step_ && losses_without_step_ > 0)
      complain_of_no_steps();
    else if (runs_.size() < 2)
      complain_of_nothing("");
    else
      complain_of_nothing(fmt::format("{} runs: ", runs_.size()));
    return {};
  }
  std::vector<ForeignRun> runs;
  for (ForeignRun& run : runs_) {
    if (run.evals() == 0) {
      tally_.note("no evaluation", 0, fmt::format("run '{}' has no evaluation: left out", excerpt(run.name)));
      continue;
    }
    fill(run.facts);
    put_in_order(run, tally_);
    check_repeated_steps(run, tally_);
    run.bytes_per_token = median(ratios_[run.name]);
    runs.push_back(std::move(run));
  }
  return runs;
}

void LogReader::complain_of_no_steps() {
  tally_.mistake("table of results", 0, 0,
                 fmt::format("a table of results, without steps ({} with a loss), and no log: 'bitsweep fit --points "
                             "FILE' and 'bitsweep report --points FILE' read it (if a column counts steps: --map "
                             "step=NAME)",
                             losses_without_step_ == 1 ? "a row" : fmt::format("{} rows", losses_without_step_)));
}

void LogReader::complain_of_nothing(const std::string& whose) {
  std::string names;
  size_t count = 0;
  for (const std::string& name : seen_)
    if (++count <= kMostNames) names += (names.empty() ? "" : ", ") + excerpt(name);
  if (count > kMostNames) names += " …";
  std::string loss;
  if (any_loss_a_token_)
    loss =
        ". A loss a token is told, and how many bytes a token has is not: --bytes-per-token B --unit nats, or --map "
        "val_bpc=NAME where it is in bits per byte";
  tally_.mistake("no evaluation", 0, 0,
                 fmt::format("{}no evaluation in it: one has a step and a val_bpc{} (other names: --map "
                             "step=NAME,val_bpc=NAME){}",
                             whose, names.empty() ? "" : fmt::format("; here there is {}", names), loss));
}

}  // namespace bitsweep::imports
