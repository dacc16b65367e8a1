// How a run's number is to be read: which way is better, its unit, what guessing would give. Whoever measures a number
// tells its kind, at the start of the run; what every version of the worker measures is known here besides, and how
// logs of other programs spell it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace bitsweep {

enum class Better { lower, higher, neither };

struct MetricKind {
  std::string name;  // val_bpc; ipmr speaks for ipmr.L0H1 as well
  Better better = Better::neither;
  std::string unit;              // "bits per byte", "fraction"; "" for a bare number
  std::optional<double> chance;  // what a guess would give
  std::string help;
};

// lower | higher | none.
std::string_view direction_word(Better better);
std::optional<Better> direction_from(std::string_view word);

// {"name", "direction", "unit", "help"} and, where there is one, "chance". Nothing for what is no kind.
json::object to_json(const MetricKind& kind);
std::optional<MetricKind> metric_kind_from(const json::value& value);

// Of what the worker measures whatever the model: losses, answers of induction tasks, probes of attention; and of what
// variants told before they told its kind.
const std::vector<MetricKind>& known_metric_kinds();
// The known kinds of the names given.
std::vector<MetricKind> known_metric_kinds(const std::vector<std::string_view>& names);
// Of the probes of attention (base/attention_probes.h).
std::vector<MetricKind> probe_metric_kinds();

// What a log has of a run's numbers, whoever wrote it.
struct LoggedMetric {
  std::string_view name;               // as events, tables and options have it: val_bpc
  std::vector<std::string_view> also;  // as others spell it, the more certain first
};
const std::vector<LoggedMetric>& logged_metrics();

// How many bytes a token of the text has, from one evaluation's loss in nats a token and in bits per byte.
double bytes_per_token(double nats_per_token, double bits_per_byte);

// Kinds by name: the known ones, and over them what was told.
class MetricKinds {
 public:
  MetricKinds();
  void put(MetricKind kind);
  // That of the name, else of the name without its last parts: hdr for hdr.L0. Null: nobody told.
  const MetricKind* find(std::string_view name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, MetricKind, std::less<>> kinds_;
};

}  // namespace bitsweep
