#include "query/comparable.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep {
namespace {

const json::object& part(const json::object& spec, const char* key) {
  static const json::object kEmpty;
  const json::value* value = spec.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
}

// A path is named by its last component; "headers" stays.
std::string corpus_name(const std::string& corpus) {
  const size_t end = corpus.find_last_not_of('/');
  if (end == std::string::npos) return corpus;
  const size_t slash = corpus.rfind('/', end);
  return corpus.substr(slash == std::string::npos ? 0 : slash + 1,
                       end - (slash == std::string::npos ? 0 : slash + 1) + 1);
}

// What must be equal, as one text. The dataset's id names corpus, tokenizer and split.
std::string key_of(const RunRow& run, int64_t context, int64_t windows) {
  json::object data = part(run.spec, "data");
  for (const char* beside : {"context"}) data.erase(beside);
  if (!run.dataset.empty()) data = {{"id", run.dataset}};
  return fmt::format("{}/{}/{}", context, windows, canonical_json(data));
}

void name_group(ComparableGroup& group, const std::vector<DatasetRow>& datasets) {
  for (const DatasetRow& row : datasets) {
    if (row.id != group.dataset) continue;
    group.corpus = row.name;
    group.tokenizer = row.tokenizer;
  }
  group.label = group.corpus.empty() ? "data not named" : group.corpus;
  if (!group.tokenizer.empty()) group.label += ", " + group.tokenizer;
  if (group.context > 0) group.label += fmt::format(", context {}", group.context);
}

// Groups that read the same are told apart by what differs.
void make_labels_unique(std::vector<ComparableGroup>& groups) {
  const auto count = [&](const std::string& label) {
    return std::count_if(groups.begin(), groups.end(), [&](const ComparableGroup& g) { return g.label == label; });
  };
  for (size_t i = 0; i < groups.size(); ++i) {
    if (count(groups[i].label) < 2) continue;
    const std::string label = groups[i].label;
    int number = 0;
    for (ComparableGroup& group : groups) {
      if (group.label != label) continue;
      const std::string digits = group.dataset.empty() ? fmt::format("{}", ++number) : group.dataset.substr(0, 8);
      group.label = fmt::format("{}, {} validation windows, data {}", label, group.eval_windows, digits);
    }
  }
}

}  // namespace

std::vector<ComparableGroup> comparable_groups(const std::vector<RunRow>& runs,
                                               const std::vector<DatasetRow>& datasets) {
  std::vector<ComparableGroup> groups;
  std::vector<std::string> keys;
  for (size_t i = 0; i < runs.size(); ++i) {
    const json::object& data = part(runs[i].spec, "data");
    const int64_t context = integer_or(data, "context", 0);
    const int64_t windows = integer_or(part(runs[i].spec, "eval"), "windows", 0);
    const std::string key = key_of(runs[i], context, windows);
    const size_t at = static_cast<size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
    if (at == groups.size()) {
      keys.push_back(key);
      groups.push_back({"",
                        runs[i].dataset,
                        corpus_name(string_or(data, "corpus", runs[i].dataset)),
                        string_or(data, "tokenizer", ""),
                        context,
                        windows,
                        {}});
    }
    groups[at].runs.push_back(i);
  }
  for (ComparableGroup& group : groups) name_group(group, datasets);
  make_labels_unique(groups);
  return groups;
}

std::string exclusion_reason(const RunRow& run) {
  if (run.state == "done") return run.last_val_bpc ? "" : "ended without a loss";
  if (run.exit_cause == "diverged") return "diverged";
  if (run.state == "queued") return "not begun";
  if (run.state == "starting" || run.state == "running") return "still running";
  if (run.state == "stopped") return "stopped early";
  if (run.state == "cancelled") return run.exit_cause == "withdrawn" ? "withdrawn" : "cancelled";
  return run.exit_cause.empty() ? run.state : run.state + ": " + run.exit_cause;
}

}  // namespace bitsweep
