#include "spec/task_spec.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/task_metrics.h"
#include "base/units.h"

namespace bitsweep::spec {
namespace {

const std::vector<std::string> kKeys{"name",      "file", "kind",       "shots", "shots_from", "template",
                                     "delimiter", "stop", "max_tokens", "limit", "when"};
const std::vector<std::string> kTemplateKeys{"prompt", "answer"};
const std::vector<std::string> kWhen{"last", "every"};

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_task_name(const std::string& text) {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

class TaskReader {
 public:
  explicit TaskReader(Problems& problems) : problems_(problems) {}

  std::vector<TaskSpec> list(const YamlNode& node) {
    std::vector<TaskSpec> tasks;
    if (node.kind != YamlKind::list) {
      wrong(node, "eval.tasks", "a list of tasks such as [{ name: squad, file: dev.json, kind: generate }]");
      return tasks;
    }
    for (const Yaml& item : node.items)
      if (auto read = task(*item)) tasks.push_back(*std::move(read));
    return tasks;
  }

 private:
  void wrong(const YamlNode& node, const std::string& what, const std::string& expected) {
    good_ = false;
    problems_.add(node.place, fmt::format("'{}' must be {}, found {}", what, expected, yaml_found(node)));
  }

  std::optional<TaskSpec> task(const YamlNode& node) {
    if (node.kind != YamlKind::map) {
      wrong(node, "eval.tasks", "a list of maps such as { name: squad, file: dev.json, kind: generate }");
      return std::nullopt;
    }
    good_ = true;
    TaskSpec task;
    for (const YamlEntry& entry : node.entries) {
      if (contains(kKeys, entry.key)) {
        if (entry.value->kind != YamlKind::null) key(entry.key, *entry.value, task);
        continue;
      }
      good_ = false;
      problems_.add(entry.key_place,
                    fmt::format("unknown key '{}' of a task{}", entry.key, did_you_mean(entry.key, kKeys)));
    }
    for (const YamlEntry& entry : node.entries)
      if (entry.value->kind != YamlKind::null) useful(entry, node.find("shots"), task);
    for (const char* needed : {"name", "file", "kind"}) {
      if (node.find(needed) != nullptr) continue;
      good_ = false;
      problems_.add(
          node.place,
          fmt::format("a task needs '{}', such as {{ name: squad, file: dev.json, kind: generate }}", needed));
    }
    return good_ ? std::optional(std::move(task)) : std::nullopt;
  }

  // Once all keys are read: a key that changes nothing is a mistake about what is asked.
  void useful(const YamlEntry& entry, const YamlEntry* shots, const TaskSpec& task) {
    const bool of_replies = entry.key == "stop" || entry.key == "max_tokens";
    const bool of_shots = entry.key == "shots_from" || entry.key == "delimiter";
    std::string why;
    if (of_replies && (task.kind == "choice" || task.kind == "continue"))
      why = fmt::format("a task of kind {} has no replies, which kind generate has", task.kind);
    // Shots that could not be read are told already.
    const bool none = shots == nullptr || shots->value->kind == YamlKind::null || yaml_integer(*shots->value) == 0;
    if (of_shots && none) why = "it needs 'shots', examples before each question";
    if (why.empty()) return;
    good_ = false;
    problems_.add(entry.key_place, fmt::format("'{}' has no effect: {}", entry.key, why));
  }

  void key(const std::string& key, const YamlNode& node, TaskSpec& task) {
    if (key == "name") name(node, task.name);
    if (key == "file") file(node, key, task.file);
    if (key == "shots_from") file(node, key, task.shots_from);
    if (key == "kind") word(node, key, task_kinds(), task.kind);
    if (key == "when") word(node, key, kWhen, task.when);
    if (key == "shots") integer(node, key, 0, 1000, task.shots);
    if (key == "max_tokens") integer(node, key, 1, 1 << 20, task.max_tokens);
    if (key == "limit") integer(node, key, 1, 1'000'000'000, task.limit);
    if (key == "delimiter") text(node, key, task.delimiter);
    if (key == "stop") stops(node, task.stop);
    if (key == "template") layout(node, task);
  }

  void name(const YamlNode& node, std::string& out) {
    if (node.kind != YamlKind::scalar || !is_task_name(node.text))
      return wrong(node, "name", "a word of letters, digits, '-' and '_': its metrics are NAME.acc …");
    if (MetricKinds().find(node.text) != nullptr) {
      good_ = false;
      return problems_.add(node.place, fmt::format("a task cannot be named '{}': that is a metric", node.text));
    }
    if (!names_.insert(node.text).second) {
      good_ = false;
      return problems_.add(node.place, fmt::format("two tasks are named '{}'", node.text));
    }
    out = node.text;
  }

  void file(const YamlNode& node, const std::string& key, std::string& out) {
    if (node.kind != YamlKind::scalar || node.text.empty()) return wrong(node, key, "the path of a file");
    if (contains(builtin_task_files(), node.text)) {
      out = node.text;
      return;
    }
    fs::path path = node.text;
    if (path.is_relative() && node.place.line > 0) path = fs::path(*node.place.file).parent_path() / path;
    path = fs::absolute(path).lexically_normal();
    out = path.string();
    std::error_code code;
    if (fs::is_regular_file(path, code)) return;
    problems_.add_missing(
        node.place,
        fmt::format("'{}': {} '{}'{}; built in: {}", key,
                    fs::is_directory(path, code) ? "a file is needed, and a folder is" : "there is no file", out,
                    did_you_mean(node.text, builtin_task_files()), fmt::join(builtin_task_files(), ", ")));
  }

  void word(const YamlNode& node, const std::string& key, const std::vector<std::string>& known, std::string& out) {
    if (node.kind == YamlKind::scalar && contains(known, node.text)) {
      out = node.text;
      return;
    }
    good_ = false;
    problems_.add(node.place, fmt::format("'{}' must be one of {}, found {}{}", key, fmt::join(known, ", "),
                                          yaml_found(node), did_you_mean(node.text, known)));
  }

  void integer(const YamlNode& node, const std::string& key, int64_t least, int64_t most, int64_t& out) {
    const auto value = yaml_integer(node);
    if (value && *value >= least && *value <= most)
      out = *value;
    else
      wrong(node, key, fmt::format("an integer from {} to {}", format_thousands(least), format_thousands(most)));
  }

  void text(const YamlNode& node, const std::string& key, std::string& out) {
    if (node.kind == YamlKind::scalar)
      out = node.text;
    else
      wrong(node, key, "text");
  }

  void stops(const YamlNode& node, std::vector<std::string>& out) {
    const auto one = [&](const YamlNode& item) {
      if (item.kind == YamlKind::scalar && !item.text.empty())
        out.push_back(item.text);
      else
        wrong(item, "stop", "a text that ends a reply, or a list of them");
    };
    if (node.kind != YamlKind::list) return one(node);
    if (node.items.empty()) {
      good_ = false;
      problems_.add(node.place, "'stop' is an empty list: name a text that ends a reply, or leave the key out");
    }
    for (const Yaml& item : node.items) one(*item);
  }

  // A preset, the text of a prompt, or both parts.
  void layout(const YamlNode& node, TaskSpec& task) {
    const auto layout = read_template(node, problems_);
    good_ = good_ && layout.has_value();
    if (!layout) return;
    task.preset = layout->preset;
    task.prompt = layout->prompt;
    task.answer = layout->answer;
  }

  Problems& problems_;
  std::set<std::string> names_;
  bool good_ = true;  // the task at hand, as far as it was read
};

[[noreturn]] void not_ours(const std::string& what) {
  throw Error(ErrorKind::input, "run spec: 'eval.tasks': " + what);
}

TaskSpec task_from(const json::value& value) {
  if (!value.is_object()) not_ours("a task must be an object");
  const json::object& object = value.get_object();
  const json::object known = to_json(TaskSpec{});
  std::vector<std::string> keys;
  for (const auto& member : known) keys.emplace_back(member.key());
  for (const auto& member : object)
    if (!known.contains(member.key()))
      not_ours(fmt::format("unknown key '{}'{}", std::string(member.key()), did_you_mean(member.key(), keys)));
  for (const auto& member : known)
    if (const json::value* given = object.if_contains(member.key());
        given == nullptr || given->is_string() != member.value().is_string() ||
        given->is_array() != member.value().is_array() || given->is_number() != member.value().is_number())
      not_ours(fmt::format("'{}' is missing, or of another type", std::string(member.key())));
  TaskSpec task{.name = string_or(object, "name", ""),
                .file = string_or(object, "file", ""),
                .kind = string_or(object, "kind", ""),
                .shots = integer_or(object, "shots", 0),
                .shots_from = string_or(object, "shots_from", ""),
                .preset = string_or(object, "preset", ""),
                .prompt = string_or(object, "prompt", ""),
                .answer = string_or(object, "answer", ""),
                .delimiter = string_or(object, "delimiter", ""),
                .stop = {},
                .max_tokens = integer_or(object, "max_tokens", 0),
                .limit = integer_or(object, "limit", 0),
                .when = string_or(object, "when", "")};
  for (const json::value& stop : object.at("stop").as_array()) {
    if (!stop.is_string()) not_ours("'stop' must be a list of texts");
    task.stop.emplace_back(stop.get_string());
  }
  return task;
}

}  // namespace

std::optional<TemplateSpec> read_template(const YamlNode& node, Problems& problems) {
  TemplateSpec layout;
  if (node.kind == YamlKind::scalar && node.text.find("{{") != std::string::npos) {
    layout.prompt = node.text;
    return layout;
  }
  if (node.kind == YamlKind::scalar && contains(template_presets(), node.text)) {
    layout.preset = node.text;
    return layout;
  }
  if (node.kind != YamlKind::map) {
    problems.add(node.place, fmt::format("'template' must be one of {}, a text with {{{{field}}}}s, or {{ prompt: …, "
                                         "answer: … }}, found {}{}",
                                         fmt::join(template_presets(), ", "), yaml_found(node),
                                         did_you_mean(node.text, template_presets())));
    return std::nullopt;
  }
  bool good = true;
  for (const YamlEntry& entry : node.entries) {
    const bool known = contains(kTemplateKeys, entry.key), text = entry.value->kind == YamlKind::scalar;
    if (!known)
      problems.add(entry.key_place,
                   fmt::format("unknown key '{}' of a template{}", entry.key, did_you_mean(entry.key, kTemplateKeys)));
    else if (!text)
      problems.add(entry.value->place,
                   fmt::format("'template.{}' must be text, found {}", entry.key, yaml_found(*entry.value)));
    else
      (entry.key == "prompt" ? layout.prompt : layout.answer) = entry.value->text;
    good = good && known && text;
  }
  return good ? std::optional(layout) : std::nullopt;
}

json::object to_json(const TemplateSpec& layout) {
  return {{"preset", layout.preset}, {"prompt", layout.prompt}, {"answer", layout.answer}};
}

TemplateSpec template_from(const json::value& value) {
  const auto text = [&](const char* key) {
    const json::object* object = value.if_object();
    const json::value* member = object == nullptr ? nullptr : object->if_contains(key);
    if (member == nullptr || !member->is_string())
      throw Error(ErrorKind::input, fmt::format("run spec: a template's '{}' must be text", key));
    return std::string(member->get_string());
  };
  return {text("preset"), text("prompt"), text("answer")};
}

const std::vector<std::string>& builtin_task_files() {
  static const std::vector<std::string> kNames{"stories-questions", "stories-questions-train"};
  return kNames;
}

const std::vector<std::string>& template_presets() {
  static const std::vector<std::string> kNames{"plain", "alpaca", "chatml"};
  return kNames;
}

json::object to_json(const TaskSpec& task) {
  return {{"name", task.name},
          {"file", task.file},
          {"kind", task.kind},
          {"shots", task.shots},
          {"shots_from", task.shots_from},
          {"preset", task.preset},
          {"prompt", task.prompt},
          {"answer", task.answer},
          {"delimiter", task.delimiter},
          {"stop", strings_json(task.stop)},
          {"max_tokens", task.max_tokens},
          {"limit", task.limit},
          {"when", task.when}};
}

json::array to_json(const std::vector<TaskSpec>& tasks) {
  json::array list;
  for (const TaskSpec& task : tasks) list.push_back(to_json(task));
  return list;
}

std::vector<TaskSpec> task_specs_from(const json::value& list) {
  if (!list.is_array()) not_ours("must be a list");
  std::vector<TaskSpec> tasks;
  for (const json::value& item : list.get_array()) tasks.push_back(task_from(item));
  return tasks;
}

std::vector<TaskSpec> read_tasks(const YamlNode& node, Problems& problems) { return TaskReader(problems).list(node); }

std::vector<TaskSpec> read_task_file(const fs::path& file) {
  const Yaml root = read_yaml(file);
  const YamlEntry* inner = root->find("tasks");
  Problems problems;
  std::vector<TaskSpec> tasks = read_tasks(inner == nullptr ? *root : *inner->value, problems);
  problems.throw_if_any();
  if (tasks.empty()) throw Error(ErrorKind::input, {root->place.diagnostic("there is no task in this file")});
  return tasks;
}

std::vector<std::string> task_key_help() {
  return {"name  a word; its metrics are NAME.acc …; required",
          fmt::format("file  a path, or one of {}; required", fmt::join(builtin_task_files(), ", ")),
          fmt::format("kind  one of {}; required", fmt::join(task_kinds(), ", ")),
          "shots  an integer from 0: examples before each question",
          "shots_from  a file of examples; without it they are other items of the file",
          fmt::format("template  one of {}; a prompt with {{{{field}}}}s; or {{ prompt, answer }}",
                      fmt::join(template_presets(), ", ")),
          "delimiter  text between examples",
          "stop  a text, or a list of them, that ends a reply",
          "max_tokens  an integer from 1: of a reply (64)",
          "limit  an integer from 1: the first so many items",
          "when  last or every: at which evaluations"};
}

}  // namespace bitsweep::spec
