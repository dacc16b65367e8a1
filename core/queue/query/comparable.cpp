#include "query/comparable.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/units.h"
#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"
#include "spec/tokenizers.h"

namespace bitsweep::query {
namespace {

constexpr const char* kAnyTokenizer = "any that keeps every byte";
constexpr double kFarAboveUniform = 2;  // times log V: no start of a model lies there, and no end of a sound run

const json::object& part(const json::object& spec, const char* key) {
  static const json::object kEmpty;
  const json::value* value = spec.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
}

// Of what a run learns from: a corpus, or a file of examples.
std::string text_name(const json::object& data, const std::string& otherwise) {
  const json::value* examples = data.if_contains("examples");
  if (examples != nullptr && examples->is_object()) return string_or(examples->get_object(), "file", otherwise);
  const json::value* corpus = data.if_contains("corpus");
  return corpus != nullptr ? spec::corpus_text(*corpus) : otherwise;
}

std::string digest(const std::string& sha256) { return sha256.substr(0, 12); }

std::string training_text(const RunRow& run, const DatasetRow* dataset) {
  if (dataset != nullptr && !dataset->sha256.empty())
    return fmt::format("{} {}", dataset->name, digest(dataset->sha256));
  if (!run.dataset.empty()) return run.dataset;
  json::object data = part(run.spec, "data");
  const std::string corpus = text_name(data, "");
  for (const char* told : {"context", "tokenizer", "val", "unit"}) data.erase(told);
  if (data.size() == 1 && !corpus.empty()) return corpus;
  return data.empty() ? "" : canonical_json(data);
}

int64_t scored_bytes(const RunRow& run) { return integer_or(part(run.spec, "eval"), "bytes", 0); }

// Scored on the same bytes, tokenizers compare; one that loses some of them only with itself.
std::string tokenizer(const RunRow& run, const DatasetRow* dataset) {
  if (scored_bytes(run) > 0 && dataset != nullptr && dataset->unknown_bytes == 0) return kAnyTokenizer;
  return dataset != nullptr && !dataset->tokenizer.empty() ? dataset->tokenizer : tokenizer_of(run.spec);
}

std::string validation_text(const RunRow& run, const DatasetRow* dataset) {
  if (dataset != nullptr && !dataset->val_sha256.empty()) return digest(dataset->val_sha256);
  return string_or(part(run.spec, "data"), "val", "");
}

// Of a mixture with no validation text of its own the weights decide what is scored, windows and stretches alike: each
// part gives its share.
std::string mixture(const RunRow& run, const DatasetRow*) {
  const json::object& data = part(run.spec, "data");
  const json::value* corpus = data.if_contains("corpus");
  const std::string weights = corpus != nullptr ? spec::weights_text(*corpus) : "";
  if (weights.empty()) return "one text";
  return string_or(data, "val", "").empty() ? weights : "any, beside data.val";
}

std::string counted(const json::object& object, const char* key) {
  const int64_t count = integer_or(object, key, 0);
  return count > 0 ? fmt::format("{}", count) : "";
}

std::string context_length(const RunRow& run, const DatasetRow*) {
  return scored_bytes(run) > 0 ? "any" : counted(part(run.spec, "data"), "context");
}
std::string windows(const RunRow& run, const DatasetRow*) {
  const int64_t bytes = scored_bytes(run);
  if (bytes == 0) return counted(part(run.spec, "eval"), "windows");
  const std::string stride = counted(part(run.spec, "eval"), "stride");
  return fmt::format("{} bytes{}", format_thousands(bytes), stride.empty() ? "" : ", stride " + stride);
}

std::string loss_unit(const RunRow& run, const DatasetRow*) {
  return run.loss ? run.loss->unit : spec::loss_unit(part(run.spec, "data"));
}

// Where a task's metric, or that of a text beside, stands in the place of the loss: of which questions, or which text.
Asked loss_asked_for(const RunRow& run) { return run.loss ? asked_for(run, run.loss->name) : Asked(); }
std::string asked(const RunRow& run, const DatasetRow*) { return asked_text(loss_asked_for(run)); }

// Of all runs, made comparable with each other.
std::vector<Asked> losses_asked_for(const std::vector<RunRow>& runs) {
  std::vector<Asked> all;
  for (const RunRow& run : runs) all.push_back(loss_asked_for(run));
  make_comparable(all);
  return all;
}

const DatasetRow* dataset_of(const RunRow& run, const std::vector<DatasetRow>& datasets) {
  const auto found = std::find_if(datasets.begin(), datasets.end(),
                                  [&](const DatasetRow& row) { return !run.dataset.empty() && row.id == run.dataset; });
  return found == datasets.end() ? nullptr : &*found;
}

// The loss of the model that knows nothing, log V, in the unit of the run's loss; of a byte for tokenizers that join
// bytes it is less. Nothing where vocabulary or unit are not known.
std::optional<double> uniform_loss(const RunRow& run) {
  if (run.loss) return std::nullopt;  // of a metric of another kind
  const auto bits = spec::uniform_bits_per_byte(part(run.spec, "data"));
  if (!bits) return std::nullopt;
  const std::string unit = loss_unit(run, nullptr);
  if (unit.find("nat") != std::string::npos) return *bits * std::numbers::ln2;
  return unit.find("bit") != std::string::npos ? bits : std::nullopt;
}

// Of a finished run.
std::string unusable_loss(const RunRow& run) {
  if (run.loss && !(run.last_val_bpc.value_or(0) > 0)) return fmt::format("no {} above 0 was told", run.loss->name);
  if (!run.last_val_bpc) return "ended without a loss";
  if (!(*run.last_val_bpc > 0)) return "ended with a loss that is not above 0";
  const auto uniform = uniform_loss(run);
  if (std::isfinite(*run.last_val_bpc) && !(uniform && *run.last_val_bpc > kFarAboveUniform * *uniform)) return "";
  return "diverged: ended with a loss far above the uniform model's";
}

// What the runs were scored on, where a data set tells; else what they were asked to be: a text may have less.
std::string bytes_text(const ComparableGroup& group, const DatasetRow* dataset) {
  const YardstickRow* scored = dataset != nullptr ? yardstick_of(group, *dataset) : nullptr;
  return scored != nullptr ? fmt::format("the same {} bytes", format_thousands(scored->bytes))
                           : fmt::format("eval.bytes {}", format_count(static_cast<double>(group.eval_bytes)));
}

void name_group(ComparableGroup& group, const DatasetRow* dataset) {
  if (dataset != nullptr) {
    group.corpus = dataset->name;
    group.tokenizer = dataset->tokenizer;
  }
  group.label = group.corpus.empty() ? "data not named" : group.corpus;
  if (group.eval_bytes > 0) {
    group.label += ", " + bytes_text(group, dataset);
    return;
  }
  if (!group.tokenizer.empty()) group.label += ", " + group.tokenizer;
  if (group.context > 0) group.label += fmt::format(", context {}", group.context);
}

std::string value_of(const ComparableGroup& group, std::string_view rule) {
  for (size_t k = 0; k < comparability_rules().size(); ++k)
    if (comparability_rules()[k].name == rule) return group.values[k];
  return "";
}

// Mixtures of the same texts are told by their weights, whatever else differs.
void tell_weights(std::vector<ComparableGroup>& groups) {
  for (ComparableGroup& group : groups) {
    const std::string weights = value_of(group, "mixture");
    const bool others = std::any_of(groups.begin(), groups.end(), [&](const ComparableGroup& other) {
      return other.corpus == group.corpus && value_of(other, "mixture") != weights;
    });
    if (others && weights.find(':') != std::string::npos) group.label += ", weights " + weights;
  }
}

using Alike = std::vector<ComparableGroup*>;

// What may tell groups apart that read the same, the most telling first; "" is said by silence.
using Telling = std::string (*)(const ComparableGroup& group, const Alike& alike);
constexpr Telling kTellings[] = {
    [](const ComparableGroup& g, const Alike& alike) {
      std::vector<Asked> asked;
      for (const ComparableGroup* other : alike) asked.push_back(other->asked);
      return asked_text(g.asked, asked_differences(asked));
    },
    [](const ComparableGroup& g, const Alike&) {
      return g.eval_stride > 0 ? fmt::format("stride {}", g.eval_stride) : "";
    },
    [](const ComparableGroup& g, const Alike&) {
      return g.eval_bytes > 0 ? fmt::format("eval.bytes {}", format_count(static_cast<double>(g.eval_bytes)))
                              : fmt::format("{} validation windows", g.eval_windows);
    },
    [](const ComparableGroup& g, const Alike&) {
      const std::string tokenizer = value_of(g, "tokenizer");
      return g.eval_bytes == 0 || tokenizer == kAnyTokenizer ? "" : tokenizer;
    },
    [](const ComparableGroup& g, const Alike&) { return g.loss_unit; },
    [](const ComparableGroup& g, const Alike&) { return g.dataset.empty() ? "" : "data " + g.dataset.substr(0, 8); },
};

bool all_differ(const Alike& groups) {
  std::set<std::string> labels;
  for (const ComparableGroup* group : groups) labels.insert(group->label);
  return labels.size() == groups.size();
}

// To each of these labels what differs among them, until no two are the same.
void tell_apart(const Alike& alike) {
  for (const Telling telling : kTellings) {
    std::vector<std::string> told;
    for (const ComparableGroup* group : alike) told.push_back(telling(*group, alike));
    if (all_differ(alike)) return;
    if (std::set<std::string>(told.begin(), told.end()).size() < 2) continue;
    for (size_t i = 0; i < alike.size(); ++i)
      if (!told[i].empty()) alike[i]->label += ", " + told[i];
  }
}

// Groups by their labels, in the order of the groups.
std::vector<Alike> alike_by_label(std::vector<ComparableGroup>& groups) {
  std::vector<Alike> alike;
  for (ComparableGroup& group : groups) {
    const auto same = [&](const auto& known) { return known[0]->label == group.label; };
    const auto known = std::find_if(alike.begin(), alike.end(), same);
    if (known == alike.end())
      alike.push_back({&group});
    else
      known->push_back(&group);
  }
  return alike;
}

void make_labels_unique(std::vector<ComparableGroup>& groups) {
  tell_weights(groups);
  for (const Alike& alike : alike_by_label(groups)) tell_apart(alike);
  // What they differ in may have no name.
  for (const Alike& alike : alike_by_label(groups))
    for (size_t k = 0; alike.size() > 1 && k < alike.size(); ++k) alike[k]->label += fmt::format(", no. {}", k + 1);
}

}  // namespace

std::string tokenizer_of(const json::object& spec) {
  const json::object& data = part(spec, "data");
  const json::value* value = data.if_contains("tokenizer");
  if (value == nullptr) return "";
  const json::object* recipe = value->if_object();
  if (recipe != nullptr) return recipe->contains("train") ? spec::tokenizer_text(*value) : canonical_json(*value);
  return value->is_string() ? spec::tokenizer_text(*value) : "";
}

std::optional<double> bytes_per_token(const RunRow& run, const json::object& start) {
  const double told = number_or(start, "bytes_per_token", 0);
  if (told > 0) return told;
  return spec::vocabulary_of(tokenizer_of(run.spec)) ? std::optional(1.0) : std::nullopt;
}

const YardstickRow* yardstick_of(const ComparableGroup& group, const DatasetRow& dataset) {
  const auto is_scored = [&](const YardstickRow& row) {
    return group.eval_bytes > 0 ? row.of_any_context() && row.windows == group.eval_bytes
                                : row.context == group.context && row.windows == group.eval_windows;
  };
  const auto found = std::find_if(dataset.yardsticks.begin(), dataset.yardsticks.end(), is_scored);
  return found == dataset.yardsticks.end() ? nullptr : &*found;
}

const std::vector<ComparabilityRule>& comparability_rules() {
  static const std::vector<ComparabilityRule> kRules = {{"training-text", "the training text", training_text},
                                                        {"tokenizer", "the tokenizer", tokenizer},
                                                        {"validation-text", "the validation text", validation_text},
                                                        {"mixture", "the weights of the mixture", mixture},
                                                        {"context", "the context", context_length},
                                                        {"validation-windows", "the validation windows", windows},
                                                        {"loss-unit", "the unit of the loss", loss_unit},
                                                        {"asked", "what the loss was asked on", asked}};
  return kRules;
}

std::vector<ComparableGroup> comparable_groups(const std::vector<RunRow>& runs,
                                               const std::vector<DatasetRow>& datasets) {
  std::vector<ComparableGroup> groups;
  const std::vector<Asked> asked_of = losses_asked_for(runs);
  for (size_t i = 0; i < runs.size(); ++i) {
    const json::object& data = part(runs[i].spec, "data");
    const int64_t context = integer_or(data, "context", 0);
    const int64_t windows = integer_or(part(runs[i].spec, "eval"), "windows", 0);
    const DatasetRow* dataset = dataset_of(runs[i], datasets);
    std::vector<std::string> values;
    for (const ComparabilityRule& rule : comparability_rules()) values.push_back(rule.value(runs[i], dataset));
    values.back() = asked_text(asked_of[i]);  // of the last rule: as far as all runs tell it
    const auto same = [&](const ComparableGroup& group) { return group.values == values; };
    const auto at = static_cast<size_t>(std::find_if(groups.begin(), groups.end(), same) - groups.begin());
    if (at == groups.size()) {
      groups.push_back({"",
                        runs[i].dataset,
                        spec::corpus_name(text_name(data, runs[i].dataset)),
                        tokenizer_of(runs[i].spec),
                        context,
                        windows,
                        scored_bytes(runs[i]),
                        integer_or(part(runs[i].spec, "eval"), "stride", 0),
                        loss_unit(runs[i], dataset),
                        {},
                        std::move(values),
                        runs[i].loss,
                        asked_of[i]});
    }
    groups[at].runs.push_back(i);
  }
  for (ComparableGroup& group : groups) name_group(group, dataset_of(runs[group.runs.front()], datasets));
  make_labels_unique(groups);
  return groups;
}

std::string exclusion_reason(const RunRow& run) {
  if (run.state == RunState::done) return unusable_loss(run);
  if (run.exit_cause == "diverged") return "diverged";
  if (run.state == RunState::queued) return "not begun";
  if (is_live(run.state)) return "still running";
  if (run.state == RunState::stopped) return "stopped early";
  if (run.state == RunState::cancelled) return run.exit_cause == "withdrawn" ? "withdrawn" : "cancelled";
  const std::string state(to_text(run.state));
  return run.exit_cause.empty() ? state : state + ": " + run.exit_cause;
}

}  // namespace bitsweep::query
