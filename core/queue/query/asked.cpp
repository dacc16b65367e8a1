#include "query/asked.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/task_metrics.h"
#include "query/run_columns.h"
#include "spec/corpus_value.h"

namespace bitsweep::query {
namespace {

// The entry of eval.tasks or eval.also with this name; null where there is none.
const json::object* entry_of(const json::object& spec, std::string_view name) {
  const json::value* eval = spec.if_contains("eval");
  if (eval == nullptr || !eval->is_object()) return nullptr;
  if (const json::value* tasks = eval->get_object().if_contains("tasks"); tasks != nullptr && tasks->is_array())
    for (const json::value& task : tasks->get_array())
      if (task.is_object() && string_or(task.get_object(), "name", "") == name) return &task.get_object();
  const json::value* also = eval->get_object().if_contains("also");
  const json::value* text = also != nullptr && also->is_object() ? also->get_object().if_contains(name) : nullptr;
  return text != nullptr ? text->if_object() : nullptr;
}

bool is_nothing(const json::value& value) {
  return value.is_null() || (value.is_string() && value.get_string().empty()) ||
         (value.is_array() && value.get_array().empty()) || (value.is_number() && value.to_number<double>() == 0);
}

const std::string* find(const Asked& asked, const std::string& key) {
  for (const auto& [name, value] : asked)
    if (name == key) return &value;
  return nullptr;
}

bool is_place(const std::string& key) { return key == "file" || key == "corpus" || key == "shots_from"; }

}  // namespace

Asked asked_for(const RunRow& run, std::string_view metric) {
  const size_t dot = metric.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string name(metric.substr(0, dot));
  Asked asked;
  if (const auto count = run.metrics.find(question_count_of(metric)); count != run.metrics.end())
    asked.emplace_back("n", fmt::format("{:.0f}", count->second));
  const auto questions = run.questions.find(name);
  if (questions != run.questions.end()) asked.emplace_back("questions", questions->second);
  if (const json::object* entry = entry_of(run.spec, name))
    for (const auto& member : *entry) {
      const std::string key(member.key());
      if (key != "name" && key != "when" && !is_nothing(member.value()))
        asked.emplace_back(key, cell_text(member.value()));
    }
  return asked;
}

void make_comparable(std::vector<Asked>& all) {
  const bool known =
      std::all_of(all.begin(), all.end(), [](const Asked& asked) { return find(asked, "questions") != nullptr; });
  for (Asked& asked : all)
    std::erase_if(asked, [&](const auto& pair) { return pair.first == (known ? "file" : "questions"); });
}

std::string asked_text(const Asked& asked) {
  std::string text;
  for (const auto& [key, value] : asked) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", key, value);
  return text;
}

std::string asked_text(const Asked& asked, const std::vector<std::string>& keys) {
  Asked some;
  for (const auto& [key, value] : asked)
    if (std::find(keys.begin(), keys.end(), key) != keys.end())
      some.emplace_back(key, is_place(key) ? spec::corpus_name(value) : value);
  return asked_text(some);
}

std::vector<std::string> asked_differences(const std::vector<Asked>& all) {
  std::vector<std::string> keys, differ;
  for (const Asked& asked : all)
    for (const auto& [key, value] : asked)
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  const auto same = [](const std::string* a, const std::string* b) {
    return a == nullptr || b == nullptr ? a == b : *a == *b;
  };
  for (const std::string& key : keys)
    if (std::any_of(all.begin(), all.end(), [&](const Asked& a) { return !same(find(a, key), find(all[0], key)); }))
      differ.push_back(key);
  if (std::find(differ.begin(), differ.end(), "n") != differ.end()) std::erase(differ, "limit");
  return differ;
}

}  // namespace bitsweep::query
