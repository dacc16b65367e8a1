#include "spec/renewal.h"

#include <optional>
#include <set>

#include <fmt/format.h>

namespace bitsweep::spec {
namespace {

std::string text_of(const json::value& value) {
  if (value.is_string()) return value.get_string().empty() ? "''" : std::string(value.get_string());
  return canonical_json(value);
}

bool same(const json::value& a, const json::value& b) { return canonical_json(a) == canonical_json(b); }

// A list of maps with names, such as eval.tasks, by those names; nothing for any other.
std::optional<json::object> by_name(const json::value& value) {
  if (!value.is_array()) return std::nullopt;
  json::object named;
  for (const json::value& item : value.get_array()) {
    const std::string name = item.is_object() ? string_or(item.get_object(), "name", "") : "";
    if (name.empty()) return std::nullopt;
    named[name] = item;
  }
  return named;
}

void compare(const std::string& path, const json::value* before, const json::value* after,
             std::vector<std::string>& changes);

void compare_members(const std::string& path, const json::object& before, const json::object& after,
                     std::vector<std::string>& changes) {
  std::set<std::string> keys;
  for (const json::object* object : {&before, &after})
    for (const auto& member : *object) keys.emplace(member.key());
  for (const std::string& key : keys)
    compare(path + "." + key, before.if_contains(key), after.if_contains(key), changes);
}

void compare(const std::string& path, const json::value* before, const json::value* after,
             std::vector<std::string>& changes) {
  if (before != nullptr && after != nullptr && same(*before, *after)) return;
  const json::value empty = json::array();
  const auto named_before = by_name(before != nullptr ? *before : empty);
  const auto named_after = by_name(after != nullptr ? *after : empty);
  const bool a_list = (before != nullptr && before->is_array()) || (after != nullptr && after->is_array());
  if (a_list && named_before && named_after) return compare_members(path, *named_before, *named_after, changes);
  if (before != nullptr && after != nullptr && before->is_object() && after->is_object())
    return compare_members(path, before->get_object(), after->get_object(), changes);
  if (after == nullptr)
    changes.push_back(fmt::format("{}: no more", path));
  else if (before == nullptr)
    changes.push_back(fmt::format("{}: {}", path, after->is_object() ? "new" : text_of(*after)));
  else
    changes.push_back(fmt::format("{}: {} -> {}", path, text_of(*before), text_of(*after)));
}

struct Names {
  std::vector<std::string> fresh, changed;
};

// Those in `after` that `before` lacks or has otherwise.
Names names_beyond(const json::value* before, const json::value* after) {
  const auto members = [](const json::value* value) -> json::object {
    if (value == nullptr) return {};
    if (value->is_object()) return value->get_object();
    return by_name(*value).value_or(json::object());
  };
  const json::object known = members(before);
  Names names;
  for (const auto& member : members(after)) {
    const json::value* other = known.if_contains(member.key());
    if (other == nullptr) names.fresh.emplace_back(member.key());
    if (other != nullptr && !same(*other, member.value())) names.changed.emplace_back(member.key());
  }
  return names;
}

const json::value* member_of(const json::object& spec, const char* section, const char* key) {
  const json::value* found = spec.if_contains(section);
  return found != nullptr && found->is_object() ? found->get_object().if_contains(key) : nullptr;
}

}  // namespace

Renewal renewed_spec(const json::object& known, const json::object& submitted, bool done) {
  // With one id, what else is of `data` and of `import` than paths is the same, or was measured on them.
  std::vector<const char*> sections = {"data", "import"};
  if (!done) sections.insert(sections.end(), {"eval", "checkpoint"});
  Renewal renewal{.spec = known, .taken = {}, .tasks = {}, .changed_tasks = {}, .texts = {}};
  for (const char* section : sections) {
    const json::value* now = submitted.if_contains(section);
    if (now == nullptr) continue;
    compare(section, known.if_contains(section), now, renewal.taken);
    renewal.spec[section] = *now;
  }
  if (!done) return renewal;
  const auto beyond = [&](const char* key) {
    return names_beyond(member_of(known, "eval", key), member_of(submitted, "eval", key));
  };
  Names tasks = beyond("tasks"), texts = beyond("also");
  renewal.tasks = std::move(tasks.fresh);
  renewal.changed_tasks = std::move(tasks.changed);
  renewal.texts = std::move(texts.fresh);
  renewal.texts.insert(renewal.texts.end(), texts.changed.begin(), texts.changed.end());
  return renewal;
}

}  // namespace bitsweep::spec
