#include "examples/read_examples.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/brought_json.h"
#include "base/error.h"
#include "base/units.h"
#include "spec/task_spec.h"
#include "tasks/findings.h"
#include "tasks/layout.h"
#include "tasks/read_items.h"

namespace bitsweep::examples {
namespace {

constexpr std::array<std::string_view, 2> kListKeys{"messages", "conversations"};

const json::value* member(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const json::value* found = object.if_contains(name)) return found;
  return nullptr;
}

const json::value* turns_of(const json::value& line) {
  const json::object* object = line.if_object();
  return object == nullptr ? nullptr : member(*object, {kListKeys[0], kListKeys[1]});
}

struct Turn {
  std::string role, content;  // role: system | user | assistant
};

// The names of the field: OpenAI's, and ShareGPT's for the same.
std::string role_of(std::string_view name) {
  if (name == "human") return "user";
  if (name == "gpt" || name == "bot" || name == "model") return "assistant";
  return std::string(name);
}

// How a turn is put: what stands in front of its content, and behind it.
struct Marks {
  std::string before, behind;
};
Marks marks_of(const std::string& preset, const std::string& role) {
  if (preset == "chatml") return {fmt::format("<|im_start|>{}\n", role), "<|im_end|>\n"};
  if (preset == "alpaca") {
    if (role == "system") return {"", "\n\n"};
    return {role == "user" ? "### Instruction:\n" : "### Response:\n", "\n\n"};
  }
  return {fmt::format("{}: ", role), "\n"};
}

class MessageReader {
 public:
  MessageReader(const ExampleLayout& layout, const std::string& name) : preset_(layout.preset), findings_(name) {
    if (!layout.prompt.empty() || !layout.answer.empty())
      throw Error(ErrorKind::input, fmt::format("{}: messages are put as plain, alpaca or chatml, not by a template "
                                                "of prompt and answer",
                                                name));
  }

  void take(const json::value& line, int64_t number) {
    const json::value* list = turns_of(line);
    if (list == nullptr || !list->is_array())
      return findings_.add("no messages", number, "no 'messages' that is a list, as other lines have");
    Example example;
    std::string read;  // since the last answer
    for (const json::value& item : list->get_array()) {
      const auto turn = turn_of(item, number);
      if (!turn) return;
      const Marks marks = marks_of(preset_, turn->role);
      read += marks.before;
      if (turn->role == "assistant") {
        example.parts.push_back({std::move(read), false});
        example.parts.push_back({turn->content, true});
        read = marks.behind;
      } else {
        read += turn->content + marks.behind;
      }
    }
    if (example.parts.empty()) return findings_.add("no answer", number, "no message of the assistant");
    set_.examples.push_back(std::move(example));
  }

  void take_no_json(std::string_view line, int64_t number) { findings_.add_no_json(number, line); }

  ExampleSet finish() {
    findings_.throw_if_any();
    set_.form = "messages";
    return std::move(set_);
  }

 private:
  std::optional<Turn> turn_of(const json::value& item, int64_t number) {
    const json::object* object = item.if_object();
    const json::value* role = object == nullptr ? nullptr : member(*object, {"role", "from"});
    const json::value* content = object == nullptr ? nullptr : member(*object, {"content", "value"});
    if (role == nullptr || content == nullptr || !role->is_string() || !content->is_string()) {
      findings_.add("no message", number, "a message must have 'role' and 'content', both texts");
      return std::nullopt;
    }
    Turn turn{role_of(role->get_string()), std::string(content->get_string())};
    if (turn.role == "system" || turn.role == "user" || turn.role == "assistant") return turn;
    findings_.add("unknown role", number,
                  fmt::format("unknown role '{}': system, user and assistant are known", turn.role));
    return std::nullopt;
  }

  std::string preset_;
  tasks::Findings findings_;
  ExampleSet set_;
};

// Shows the reader each line of JSON lines, or each item of a list, with its line (0 in a list).
void each_value(std::string_view text, const std::string& name, MessageReader& reader) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '[') {
    const json::value list = parse_brought_json(text, name);
    for (const json::value& item : list.as_array()) reader.take(item, 0);
    return;
  }
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto value = try_parse_brought_json(line);
    if (value)
      reader.take(*value, number);
    else
      reader.take_no_json(line, number);
  }
}

// Whether the first object is of messages.
bool holds_messages(std::string_view text) {
  const size_t first = text.find('{'), end = std::min(text.find('\n', first), text.size());
  if (first == std::string_view::npos) return false;
  if (const auto line = try_parse_brought_json(text.substr(first, end - first))) return turns_of(*line) != nullptr;
  const auto whole = try_parse_brought_json(text);
  return whole && whole->is_array() && !whole->get_array().empty() && turns_of(whole->get_array()[0]) != nullptr;
}

ExampleSet of_items(std::string_view text, const ExampleLayout& layout, const std::string& name) {
  const tasks::ItemSet items = tasks::read_items(text, "generate", name);
  spec::TaskSpec task;
  task.name = name;
  task.kind = "generate";
  task.preset = layout.preset;
  task.prompt = layout.prompt;
  task.answer = layout.answer;
  const tasks::Layout put(task, items, "data.template");
  ExampleSet set{.form = items.form, .examples = {}, .notes = items.notes};
  for (const tasks::Item& item : items.items) {
    std::string prompt = put.prompt(item);
    std::string answer = put.answer(item, prompt, item.right_answer());
    set.examples.push_back({{{std::move(prompt), false}, {std::move(answer), true}}});
  }
  return set;
}

}  // namespace

ExampleSet read_examples(std::string_view text, const ExampleLayout& layout, const std::string& name) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  if (!holds_messages(text)) return of_items(text, layout, name);
  MessageReader reader(layout, name);
  each_value(text, name, reader);
  ExampleSet set = reader.finish();
  set.notes.push_back(
      fmt::format("{}: {} examples with messages.", name, format_thousands(static_cast<int64_t>(set.examples.size()))));
  if (std::string note = note_on_bytes(text, name); !note.empty()) set.notes.push_back(std::move(note));
  return set;
}

}  // namespace bitsweep::examples
