#include "base/metric_kind.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bitsweep {
namespace {

struct Known {
  std::string_view name;
  Better better;
  std::string_view unit, help;
};

constexpr Known kProbes[] = {
    {"ipmr", Better::neither, "fraction", "queries that look at what followed their token before, a head"},
    {"ipmr_chance", Better::neither, "fraction", "ipmr of a head that looks anywhere"},
    {"ipmr_mean", Better::neither, "fraction", "ipmr, mean over heads"},
    {"ipmr_max", Better::neither, "fraction", "ipmr of the best head"},
    {"ipmr_queries", Better::neither, "", "queries that ipmr is over"},
    {"specialist_heads", Better::neither, "heads", "heads whose ipmr is well above chance"},
    {"specialists", Better::neither, "heads", "heads with an ipmr of 5 % or more, of older probes"},
    {"induction", Better::neither, "fraction", "attention on what followed the token before, a head"},
    {"induction_chance", Better::neither, "fraction", "induction of a head that looks anywhere"},
    {"induction_max", Better::neither, "fraction", "induction of the best head"},
    {"agreement", Better::neither, "fraction", "probability that a head looks at the same place in two windows"},
    {"locked_heads", Better::neither, "heads", "heads that go by position alone"},
    {"content_heads", Better::neither, "heads", "heads that go by content"},
    {"hdr", Better::neither, "fraction", "distinct keys looked at most, a head"},
    {"in_context_bits", Better::neither, "bits per token", "loss late in a window minus that early in it"}};

MetricKind kind_of(const Known& known) {
  return {std::string(known.name), known.better, std::string(known.unit), {}, std::string(known.help)};
}

constexpr Known kMeasured[] = {
    {"val_bpc", Better::lower, "bits per byte", "validation loss"},
    {"train_bpc", Better::lower, "bits per byte", "training loss"},
    {"val_bpc_se", Better::neither, "bits per byte", "standard error of val_bpc over the validation windows"},
    {"val_bpt", Better::lower, "bits per token", "validation loss of a token"},
    {"bytes_per_token", Better::neither, "bytes", "text that a token stands for, in what is scored"},
    {"answer_accuracy", Better::higher, "fraction", "answers of the induction task that are right"},
    {"answer_loss_bits", Better::lower, "bits per answer", "loss on the answers of the induction task"},
    {"flip_fraction", Better::neither, "fraction",
     "weights that changed sign in a step, mean since the last evaluation"},
    {"state_bytes_per_weight", Better::neither, "bytes", "memory of a weight and of what decides its flips"}};

std::vector<MetricKind> make_known() {
  std::vector<MetricKind> kinds;
  for (const Known& known : kMeasured) kinds.push_back(kind_of(known));
  for (MetricKind& kind : probe_metric_kinds()) kinds.push_back(std::move(kind));
  return kinds;
}

}  // namespace

std::string_view direction_word(Better better) {
  return better == Better::lower ? "lower" : better == Better::higher ? "higher" : "none";
}

std::optional<Better> direction_from(std::string_view word) {
  for (const Better better : {Better::lower, Better::higher, Better::neither})
    if (word == direction_word(better)) return better;
  return std::nullopt;
}

json::object to_json(const MetricKind& kind) {
  json::object object{
      {"name", kind.name}, {"direction", direction_word(kind.better)}, {"unit", kind.unit}, {"help", kind.help}};
  if (kind.chance) object["chance"] = *kind.chance;
  return object;
}

std::optional<MetricKind> metric_kind_from(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const auto better = direction_from(string_or(object, "direction", ""));
  MetricKind kind{string_or(object, "name", ""),
                  better.value_or(Better::neither),
                  string_or(object, "unit", ""),
                  {},
                  string_or(object, "help", "")};
  if (const json::value* chance = object.if_contains("chance"); chance != nullptr && chance->is_number())
    kind.chance = chance->to_number<double>();
  if (kind.name.empty() || !better) return std::nullopt;
  return kind;
}

std::vector<MetricKind> probe_metric_kinds() {
  std::vector<MetricKind> kinds;
  for (const Known& known : kProbes) {
    kinds.push_back(kind_of(known));
    MetricKind repeated = kind_of(known);
    repeated.name.insert(0, "repeat_");
    repeated.help += ", on repeated random tokens";
    kinds.push_back(std::move(repeated));
  }
  kinds.push_back({"probe_windows", Better::neither, "", {}, "windows of each kind of text"});
  return kinds;
}

const std::vector<MetricKind>& known_metric_kinds() {
  static const std::vector<MetricKind> kKinds = make_known();
  return kKinds;
}

std::vector<MetricKind> known_metric_kinds(const std::vector<std::string_view>& names) {
  std::vector<MetricKind> kinds;
  for (const MetricKind& kind : known_metric_kinds())
    if (std::find(names.begin(), names.end(), kind.name) != names.end()) kinds.push_back(kind);
  return kinds;
}

const std::vector<LoggedMetric>& logged_metrics() {
  static const std::vector<LoggedMetric> kLogged = {
      {"val_bpc",
       {"val_bpb", "valid_bpc", "eval_bpc", "bpc", "bpb", "valid_bpb", "eval_bpb", "validation_bpb", "validation_bpc",
        "val_bits_per_byte", "bits_per_byte", "test_bpb"}},
      {"train_bpc", {"train_bpb"}},
      {"val_loss", {"valid_loss", "validation_loss", "eval_loss", "loss_val", "test_loss", "val_ce", "tel"}},
      {"tokens", {"tokens_seen", "n_tokens", "num_tokens", "consumed_tokens", "num_input_tokens_seen"}},
      {"lr", {"learning_rate"}},
      {"grad_norm", {"gnorm", "gradient_norm"}},
      {"tokens_per_s", {"tok_per_s", "tok_s", "tokens_per_sec", "tokens_per_second"}},
      {"elapsed_s", {"elapsed", "wall_s", "_runtime", "train_time_s", "training_time_s", "elapsed_time_s"}},
  };
  return kLogged;
}

double bytes_per_token(double nats_per_token, double bits_per_byte) {
  return nats_per_token / (std::log(2.0) * bits_per_byte);
}

MetricKinds::MetricKinds() {
  for (const MetricKind& kind : known_metric_kinds()) put(kind);
}

void MetricKinds::put(MetricKind kind) {
  std::string name = kind.name;
  kinds_.insert_or_assign(std::move(name), std::move(kind));
}

const MetricKind* MetricKinds::find(std::string_view name) const {
  for (;;) {
    if (const auto found = kinds_.find(name); found != kinds_.end()) return &found->second;
    const size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return nullptr;
    name = name.substr(0, dot);
  }
}

std::vector<std::string> MetricKinds::names() const {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds_) names.push_back(name);
  return names;
}

}  // namespace bitsweep
