#include "query/run_columns.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::query {
namespace {

template <typename T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}
json::value or_null(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

json::value metric_of(const RunRow& run, std::string_view name) {
  const auto found = run.metrics.find(name);
  return found == run.metrics.end() ? json::value(nullptr) : json::value(found->second);
}

struct Getter {
  std::string_view name;
  json::value (*get)(const RunRow&);
};

constexpr std::array kGetters = {
    Getter{"id", [](const RunRow& r) -> json::value { return json::value(r.id); }},
    Getter{"sweep", [](const RunRow& r) -> json::value { return json::value(r.sweep); }},
    Getter{"state", [](const RunRow& r) -> json::value { return json::value(to_text(r.state)); }},
    Getter{"exit_cause", [](const RunRow& r) { return or_null(r.exit_cause); }},
    Getter{"plugin", [](const RunRow& r) -> json::value { return json::value(r.plugin); }},
    Getter{"axes", [](const RunRow& r) -> json::value { return r.axes; }},
    Getter{"seed", [](const RunRow& r) { return seed_of(r); }},
    Getter{"params", [](const RunRow& r) -> json::value { return r.params; }},
    Getter{"tokens", [](const RunRow& r) -> json::value { return r.tokens; }},
    Getter{"steps", [](const RunRow& r) -> json::value { return r.steps; }},
    Getter{"best_val_bpc", [](const RunRow& r) { return or_null(r.best_val_bpc); }},
    Getter{"last_val_bpc", [](const RunRow& r) { return or_null(r.last_val_bpc); }},
    Getter{"wall_s", [](const RunRow& r) { return or_null(r.wall_s); }},
    Getter{"tokens_per_s", [](const RunRow& r) { return or_null(r.tokens_per_s); }},
    Getter{"attempts", [](const RunRow& r) -> json::value { return r.attempts; }},
    Getter{"message", [](const RunRow& r) { return or_null(r.message); }},
    Getter{"params_nonembedding", [](const RunRow& r) -> json::value { return r.params_nonembedding; }},
    Getter{"params_extra", [](const RunRow& r) -> json::value { return r.params_extra; }},
    Getter{"epochs", [](const RunRow& r) { return or_null(r.epochs); }},
    Getter{"flops", [](const RunRow& r) { return or_null(r.flops); }},
    Getter{"step", [](const RunRow& r) -> json::value { return r.step; }},
    Getter{"best_step", [](const RunRow& r) { return or_null(r.best_step); }},
    Getter{"peak_rss_bytes", [](const RunRow& r) { return or_null(r.peak_rss_bytes); }},
    Getter{"submitted", [](const RunRow& r) { return or_null(r.submitted); }},
    Getter{"started", [](const RunRow& r) { return or_null(r.started); }},
    Getter{"ended", [](const RunRow& r) { return or_null(r.ended); }},
    Getter{"dataset", [](const RunRow& r) { return or_null(r.dataset); }},
    Getter{"answer_accuracy", [](const RunRow& r) { return metric_of(r, "answer_accuracy"); }},
    Getter{"priority", [](const RunRow& r) -> json::value { return r.priority; }},
    Getter{"faults", [](const RunRow& r) -> json::value { return r.faults; }},
};
constexpr size_t kJsonColumns = 15;

std::vector<std::string> axis_names(const std::vector<RunRow>& runs) {
  std::vector<std::string> names;
  for (const RunRow& run : runs)
    for (const auto& member : run.axes)
      if (std::find(names.begin(), names.end(), member.key()) == names.end()) names.emplace_back(member.key());
  return names;
}

// Negative, zero, positive; null behind everything, numbers before texts.
int compare(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.to_number<double>(), y = b.to_number<double>();
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.is_number() != b.is_number()) return a.is_number() ? -1 : 1;
  const std::string x = a.is_string() ? std::string(a.get_string()) : canonical_json(a);
  const std::string y = b.is_string() ? std::string(b.get_string()) : canonical_json(b);
  return x.compare(y);
}

}  // namespace

json::value seed_of(const RunRow& run) {
  if (run.seed_digits.empty()) return run.seed;
  return try_parse_json(run.seed_digits).value_or(json::value(nullptr));
}

const std::vector<std::string>& run_json_columns() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (size_t i = 0; i < kJsonColumns; ++i) names.emplace_back(kGetters[i].name);
    return names;
  }();
  return kNames;
}

std::vector<std::string> run_column_names(const std::vector<RunRow>& runs) {
  std::vector<std::string> names;
  for (const Getter& getter : kGetters) names.emplace_back(getter.name);
  for (std::string& axis : axis_names(runs))
    if (std::find(names.begin(), names.end(), axis) == names.end()) names.push_back(std::move(axis));
  std::set<std::string> metrics;
  for (const RunRow& run : runs)
    for (const auto& [name, value] : run.metrics) metrics.insert(name);
  for (const std::string& name : metrics)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

json::value run_column(const RunRow& run, std::string_view column) {
  for (const Getter& getter : kGetters)
    if (getter.name == column) return getter.get(run);
  const json::value* value = run.axes.if_contains(column);
  return value != nullptr ? *value : metric_of(run, column);
}

json::object run_json(const RunRow& run, const std::vector<std::string>& columns) {
  json::object object;
  for (const std::string& column : columns) object[column] = run_column(run, column);
  return object;
}

std::vector<std::string> parse_columns(std::string_view text, const std::vector<std::string>& known,
                                       std::string_view option, bool signs) {
  std::vector<std::string> names;
  std::vector<Diagnostic> wrong;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    std::string name(text.substr(at, comma - at));
    at = comma + 1;
    const std::string bare = signs && name.rfind('-', 0) == 0 ? name.substr(1) : name;
    if (std::find(known.begin(), known.end(), bare) == known.end())
      wrong.push_back({"", 0, 0, fmt::format("--{}: unknown column '{}'{}", option, bare, did_you_mean(bare, known))});
    names.push_back(std::move(name));
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return names;
}

std::vector<std::string> best_first(std::vector<std::string> keys, const MetricKinds& kinds) {
  for (std::string& key : keys) {
    const MetricKind* kind = kinds.find(key);
    if (kind != nullptr && kind->better == Better::higher) key.insert(0, "-");
  }
  return keys;
}

void sort_runs(std::vector<RunRow>& runs, const std::vector<std::string>& keys) {
  std::vector<std::vector<json::value>> values(runs.size());
  std::vector<size_t> order(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    order[i] = i;
    for (const std::string& key : keys)
      values[i].push_back(run_column(runs[i], key.rfind('-', 0) == 0 ? key.substr(1) : key));
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    for (size_t k = 0; k < keys.size(); ++k) {
      const bool none_a = values[a][k].is_null(), none_b = values[b][k].is_null();
      if (none_a != none_b) return none_b;
      const int result = none_a ? 0 : compare(values[a][k], values[b][k]);
      if (result != 0) return (keys[k][0] == '-') == (result > 0);
    }
    return false;
  });
  std::vector<RunRow> sorted;
  sorted.reserve(runs.size());
  for (const size_t i : order) sorted.push_back(std::move(runs[i]));
  runs = std::move(sorted);
}

std::vector<std::string> varying_axes(const std::vector<RunRow>& runs) {
  std::vector<std::string> varying;
  for (std::string& axis : axis_names(runs)) {
    const auto value_of = [&](const RunRow& run) {
      const json::value* value = run.axes.if_contains(axis);
      return value != nullptr ? canonical_json(*value) : std::string();
    };
    const std::string first = value_of(runs.front());
    if (std::any_of(runs.begin(), runs.end(), [&](const RunRow& run) { return value_of(run) != first; }))
      varying.push_back(std::move(axis));
  }
  return varying;
}

std::string cell_text(const json::value& value, const char* nothing) {
  if (value.is_null()) return nothing;
  return value.is_string() ? std::string(value.get_string()) : canonical_json(value);
}

}  // namespace bitsweep::query
