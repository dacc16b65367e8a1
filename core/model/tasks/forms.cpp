#include "tasks/forms.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"

namespace bitsweep::tasks {
namespace {

using Names = std::vector<std::string>;

const Names kAsked{"query", "question", "prompt", "instruction", "ctx", "goal", "context", "text"};
const Names kAbout{"context", "input", "passage", "support"};
const Names kChoices{"choices", "endings", "options"};
const Names kGold{"gold", "label", "answer", "answerKey", "answer_idx", "answer_index"};
const Names kContinuations{"continuation", "completion", "answer", "target"};
const Names kAnswers{"answers", "answer", "completion", "response", "output", "target", "aliases"};

// A key that means something is no mistyped other one.
bool is_known(const std::string& key) {
  for (const Names* names : {&kAsked, &kAbout, &kChoices, &kGold, &kContinuations, &kAnswers})
    if (std::find(names->begin(), names->end(), key) != names->end()) return true;
  return false;
}

// A text or a number as a template shows it; nothing for the rest.
std::optional<std::string> shown(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_number() || value.is_bool()) return canonical_json(value);
  return std::nullopt;
}

struct Member {
  std::string key;
  const json::value* value = nullptr;
  explicit operator bool() const { return value != nullptr; }
};

class ObjectReader {
 public:
  ObjectReader(const json::object& object, const ItemPlace& place, Findings& findings)
      : object_(object), place_(place), findings_(findings) {}

  Member first(const Names& names, const std::string& but = "") const {
    for (const std::string& name : names)
      if (const json::value* value = object_.if_contains(name); value != nullptr && name != but && !value->is_null())
        return {name, value};
    return {};
  }

  Member first_text(const Names& names, const std::string& but = "") const {
    for (const std::string& name : names)
      if (const Member found = first({name}, but); found && found.value->is_string()) return found;
    return {};
  }

  std::nullopt_t wrong(const std::string& kind, const std::string& message) {
    findings_.add(kind, place_.line, place_.words() + message);
    return std::nullopt;
  }

  // What there is instead, and the nearest word.
  std::nullopt_t missing(const std::string& what, const Names& names) {
    for (const std::string& name : names)
      if (const json::value* value = object_.if_contains(name); value != nullptr)
        return wrong("missing " + what, value->is_null() ? fmt::format("no {}: '{}' is null", what, name)
                                                         : fmt::format("no {}: '{}' is no text", what, name));
    Names keys;
    for (const auto& member : object_) keys.emplace_back(member.key());
    std::string near;
    for (const std::string& key : keys)
      if (near.empty() && !is_known(key)) near = did_you_mean(key, names);
    return wrong("missing " + what,
                 fmt::format("no {} ({}); it has {}{}", what, fmt::join(names, ", "),
                             keys.empty() ? "no keys" : fmt::format("{}", fmt::join(keys, ", ")), near));
  }

 private:
  const json::object& object_;
  const ItemPlace& place_;
  Findings& findings_;
};

std::string form_of(std::initializer_list<Member> members) {
  std::string form;
  for (const Member& member : members)
    if (member) form += (form.empty() ? "" : ", ") + member.key;
  return form;
}

bool texts_of(const json::value& value, std::vector<std::string>& out) {
  if (!value.is_array()) return false;
  for (const json::value& item : value.get_array()) {
    if (!item.is_string()) return false;
    out.emplace_back(item.get_string());
  }
  return true;
}

struct Choices {
  Member member;
  std::vector<std::string> texts, labels;
};

// A list of texts; ARC's {text, label} and its list of such; PIQA's sol1, sol2.
std::optional<Choices> choices_of(const json::object& object, ObjectReader& reader) {
  Choices found;
  found.member = reader.first(kChoices);
  if (!found.member) {
    for (const char* name : {"sol1", "sol2"})
      if (const Member one = reader.first_text({name})) found.texts.emplace_back(one.value->get_string());
    if (found.texts.size() != 2) return reader.missing("choices", kChoices);
    found.member = {"sol1, sol2", object.if_contains("sol1")};
    return found;
  }
  const json::value& value = *found.member.value;
  bool good = texts_of(value, found.texts);
  if (!good && value.is_object()) {
    const json::value* texts = value.get_object().if_contains("text");
    const json::value* labels = value.get_object().if_contains("label");
    good = texts != nullptr && texts_of(*texts, found.texts) && labels != nullptr && texts_of(*labels, found.labels);
  } else if (!good && value.is_array()) {
    found.texts.clear();
    good = true;
    for (const json::value& item : value.get_array()) {
      const json::object* one = item.if_object();
      good = good && one != nullptr && one->contains("text") && one->contains("label");
      if (!good) break;
      found.texts.push_back(string_or(*one, "text", ""));
      found.labels.push_back(string_or(*one, "label", ""));
    }
  }
  if (!good) return reader.wrong("choices", fmt::format("'{}' must be a list of texts", found.member.key));
  if (found.texts.size() < 2)
    return reader.wrong("few choices", fmt::format("'{}' has {} choice{}; a question needs two", found.member.key,
                                                   found.texts.size(), found.texts.size() == 1 ? "" : "s"));
  if (std::find(found.texts.begin(), found.texts.end(), "") != found.texts.end())
    return reader.wrong("empty choice", fmt::format("'{}' has an empty choice", found.member.key));
  return found;
}

// A text of digits, as a number.
std::optional<size_t> number_in(const std::string& text) {
  if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return static_cast<size_t>(std::stoul(text));
}

// By label, by the choice's text, by number from 0, by letter.
std::optional<size_t> gold_of(const json::value& value, const Choices& choices) {
  const std::string text = shown(value).value_or("");
  for (const std::vector<std::string>* words : {&choices.labels, &choices.texts})
    if (const auto at = std::find(words->begin(), words->end(), text); at != words->end() && value.is_string())
      return static_cast<size_t>(at - words->begin());
  if (const auto number = number_in(text)) return number;
  if (text.size() == 1 && text[0] >= 'A' && text[0] <= 'Z') return static_cast<size_t>(text[0] - 'A');
  return std::nullopt;
}

// Whether `gold`, taken as the text of choice `taken`, would be another one as a number.
bool could_be_a_number(const json::value& gold, const Choices& choices, size_t taken) {
  const auto number = gold.is_string() ? number_in(std::string(gold.get_string())) : std::nullopt;
  return number && *number < choices.texts.size() && *number != taken && choices.texts[taken] == gold.get_string();
}

std::optional<Item> choice_item(const json::object& object, ObjectReader& reader, KnownForm& form) {
  Item item;
  const Member asked = reader.first_text(kAsked);
  if (!asked) return reader.missing("question", kAsked);
  auto choices = choices_of(object, reader);
  if (!choices) return std::nullopt;
  const Member gold = reader.first(kGold);
  if (!gold) return reader.missing("right choice", kGold);
  const auto at = gold_of(*gold.value, *choices);
  if (!at || *at >= choices->texts.size())
    return reader.wrong("gold", fmt::format("'{}' is {}, and there are {} choices, numbered from 0", gold.key,
                                            canonical_json(*gold.value), choices->texts.size()));
  item.gold = *at;
  form.digits_as_text = could_be_a_number(*gold.value, *choices, *at);
  item.choices = std::move(choices->texts);
  name_parts(item, asked.value->get_string(), "", /*plain_prompt=*/true);
  form.keys = form_of({asked, choices->member, gold});
  return item;
}

std::optional<Item> continuation_item(ObjectReader& reader, KnownForm& form) {
  Item item;
  const Member said = reader.first_text(kContinuations);
  const Member asked = reader.first_text({"context", "prompt", "query", "ctx", "text"}, said.key);
  if (!asked) return reader.missing("context", {"context", "prompt", "query", "ctx", "text"});
  if (!said) return reader.missing("continuation", kContinuations);
  if (said.value->get_string().empty())
    return reader.wrong("empty continuation", fmt::format("'{}' is empty", said.key));
  item.answers.emplace_back(said.value->get_string());
  name_parts(item, asked.value->get_string(), "", /*plain_prompt=*/true);
  form.keys = form_of({asked, said});
  return item;
}

// A text; a list of texts, or of {text}; {text: […]} as the hub's SQuAD has it.
bool answers_of(const json::value& value, std::vector<std::string>& out) {
  if (const auto text = shown(value)) {
    if (!text->empty()) out.push_back(*text);
    return true;
  }
  if (const json::object* object = value.if_object()) {
    const json::value* inner = object->if_contains("text");
    return inner != nullptr && answers_of(*inner, out);
  }
  if (!value.is_array()) return false;
  return std::all_of(value.get_array().begin(), value.get_array().end(),
                     [&](const json::value& item) { return answers_of(item, out); });
}

std::optional<Item> reply_item(const json::object& object, ObjectReader& reader, KnownForm& form) {
  Item item;
  const Member said = reader.first(kAnswers);
  const Member asked = reader.first_text({"question", "prompt", "query", "instruction"}, said.key);
  if (!asked) return reader.missing("question", {"question", "prompt", "query", "instruction"});
  const bool impossible = bool_or(object, "is_impossible", false);
  if (!said && !impossible) return reader.missing("answer", kAnswers);
  if (said && !answers_of(*said.value, item.answers))
    return reader.wrong("answers", fmt::format("'{}' must be a text or a list of texts", said.key));
  if (impossible) item.answers.clear();
  const Member about = reader.first_text(kAbout, asked.key);
  const bool instructed = asked.key == "prompt" || asked.key == "instruction";
  name_parts(item, asked.value->get_string(), about ? std::string_view(about.value->get_string()) : "", instructed);
  form.keys = form_of({about, asked, said});
  return item;
}

}  // namespace

const std::vector<std::string>& answer_names(std::string_view kind) {
  return kind == "choice" ? kGold : kind == "continue" ? kContinuations : kAnswers;
}

std::string ItemPlace::words() const { return line > 0 ? "" : fmt::format("item {}: ", number); }

void name_parts(Item& item, std::string_view question, std::string_view context, bool plain_prompt) {
  std::string prompt(question);
  if (plain_prompt && !context.empty()) prompt = fmt::format("{}\n{}", question, context);
  if (!plain_prompt)
    prompt = context.empty() ? fmt::format("Question: {}\nAnswer:", question)
                             : fmt::format("{}\n\nQuestion: {}\nAnswer:", context, question);
  item.fields.insert_or_assign("question", std::string(question));
  item.fields.insert_or_assign("context", std::string(plain_prompt && context.empty() ? question : context));
  item.fields.insert_or_assign("instruction", std::string(question));
  item.fields.insert_or_assign("input", std::string(context));
  item.fields.insert_or_assign("prompt", std::move(prompt));
}

std::optional<Item> item_of(const json::object& object, std::string_view kind, const ItemPlace& place,
                            Findings& findings, KnownForm& form) {
  ObjectReader reader(object, place, findings);
  std::optional<Item> item = kind == "choice"     ? choice_item(object, reader, form)
                             : kind == "continue" ? continuation_item(reader, form)
                                                  : reply_item(object, reader, form);
  if (!item) return std::nullopt;
  for (const auto& member : object)
    if (auto text = shown(member.value())) item->fields.emplace(member.key(), *std::move(text));
  const json::value* id = object.if_contains("id");
  item->id = id == nullptr ? std::string() : shown(*id).value_or("");
  if (item->id.empty()) item->id = std::to_string(place.number);
  item->line = place.line;
  return item;
}

}  // namespace bitsweep::tasks
