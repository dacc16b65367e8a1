#include "tasks/read_items.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/brought_json.h"
#include "base/error.h"
#include "base/units.h"
#include "tasks/forms.h"

namespace bitsweep::tasks {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class ItemReader {
 public:
  ItemReader(std::string_view kind, const std::string& name) : kind_(kind), findings_(name) { set_.file = name; }

  void lines(std::string_view text) {
    ItemPlace place{.line = 0, .number = 0};
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      ++place.line;
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      ++place.number;
      if (const auto value = try_parse_brought_json(line))
        take(*value, place);
      else
        findings_.add_no_json(place.line, line);
    }
  }

  void document(const json::value& value) {
    const json::value* list = &value;
    if (const json::object* object = value.if_object()) list = object->if_contains("data");
    if (list == nullptr || !list->is_array())
      throw Error(ErrorKind::input, {{set_.file, 0, 0,
                                      "a file of questions has one JSON object a line, or a list of them, as such or "
                                      "as \"data\""}});
    ItemPlace place{.line = 0, .number = 0};
    for (const json::value& item : list->get_array()) {
      const json::object* object = item.if_object();
      if (const json::value* paragraphs = object == nullptr ? nullptr : object->if_contains("paragraphs")) {
        squad(*paragraphs, place);
      } else {
        ++place.number;
        take(item, place);
      }
    }
  }

  ItemSet finish() {
    findings_.throw_if_any();
    if (set_.items.empty()) throw Error(ErrorKind::input, {{set_.file, 0, 0, "there is no question in this file"}});
    tell_form();
    make_ids_unique();
    return std::move(set_);
  }

 private:
  void take(const json::value& value, const ItemPlace& place) {
    if (!value.is_object()) return findings_.add("no object", place.line, place.words() + "no JSON object");
    KnownForm form;
    if (auto item = item_of(value.get_object(), kind_, place, findings_, form)) {
      ++forms_[form.keys];
      digits_as_text_ += form.digits_as_text;
      set_.items.push_back(*std::move(item));
    }
  }

  // One article's paragraphs: {context, qas: [{id, question, answers, is_impossible}]}.
  void squad(const json::value& paragraphs, ItemPlace& place) {
    const auto broken = [&](const char* what) {
      findings_.add(what, 0, fmt::format("behind item {}: {}", place.number, what));
    };
    if (kind_ != "generate") return broken("paragraphs with questions (SQuAD) are a task of kind generate");
    if (!paragraphs.is_array()) return broken("'paragraphs' must be a list");
    for (const json::value& paragraph : paragraphs.get_array()) {
      const json::object* object = paragraph.if_object();
      const json::value* questions = object == nullptr ? nullptr : object->if_contains("qas");
      if (questions == nullptr || !questions->is_array() || !object->contains("context")) {
        broken("a paragraph must have 'context' and 'qas'");
        continue;
      }
      for (const json::value& question : questions->get_array()) {
        ++place.number;
        json::value whole = question;
        if (whole.is_object()) whole.get_object()["context"] = object->at("context");
        take(whole, place);
      }
    }
  }

  void tell_form() {
    const auto most = std::max_element(forms_.begin(), forms_.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    set_.form = most->first;
    std::string note = fmt::format("{}: {} with {}", set_.file, counted(most->second), set_.form);
    for (const auto& [form, count] : forms_)
      if (form != set_.form) note += fmt::format("; {} with {}", counted(count), form);
    set_.notes.push_back(note + ".");
    if (digits_as_text_ > 0)
      set_.notes.push_back(fmt::format(
          "{} of them {} the right choice as a text of digits that is one choice's text and "
          "another's number: the text was taken; a number stands without quotes.",
          format_thousands(static_cast<int64_t>(digits_as_text_)), digits_as_text_ == 1 ? "gives" : "give"));
    const auto unanswerable = static_cast<size_t>(std::count_if(
        set_.items.begin(), set_.items.end(), [](const Item& i) { return i.choices.empty() && i.answers.empty(); }));
    if (unanswerable > 0)
      set_.notes.push_back(fmt::format("{} of them {} no answer: right is an empty reply.",
                                       format_thousands(static_cast<int64_t>(unanswerable)),
                                       unanswerable == 1 ? "has" : "have"));
    tell_repeated_choices();
  }

  // Which of two equal choices a model prefers says nothing.
  void tell_repeated_choices() {
    const auto repeats = [](const Item& item) {
      return std::set<std::string>(item.choices.begin(), item.choices.end()).size() < item.choices.size();
    };
    const auto count = std::count_if(set_.items.begin(), set_.items.end(), repeats);
    if (count == 0) return;
    const Item& first = *std::find_if(set_.items.begin(), set_.items.end(), repeats);
    set_.notes.push_back(
        fmt::format("{} of them {} the same choice more than once (the first: question {}): one of the two counts as "
                    "right, and the other as wrong.",
                    format_thousands(count), count == 1 ? "has" : "have", first.id));
  }

  static std::string counted(size_t count) {
    return fmt::format("{} {}", format_thousands(static_cast<int64_t>(count)), count == 1 ? "question" : "questions");
  }

  // Answers of two runs are held side by side by these.
  void make_ids_unique() {
    std::set<std::string> seen;
    for (size_t i = 0; i < set_.items.size(); ++i)
      if (std::string& id = set_.items[i].id; !seen.insert(id).second) {
        id = fmt::format("{}#{}", id, i + 1);
        seen.insert(id);
      }
  }

  std::string_view kind_;
  Findings findings_;
  ItemSet set_;
  std::map<std::string, size_t> forms_;
  size_t digits_as_text_ = 0;
};

// Lines, unless the first is no whole object, or one that holds a list of its own.
bool are_lines(std::string_view text) {
  const std::string_view first = text.substr(0, text.find('\n'));
  const auto value = try_parse_brought_json(first);
  return value && value->is_object() && !value->get_object().contains("data");
}

}  // namespace

ItemSet read_items(std::string_view text, std::string_view kind, const std::string& name) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  ItemReader reader(kind, name);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos) {
    const bool object = text[begin] == '{', list = text[begin] == '[';
    // What is broken in its first line is a broken line, unless that line opens a document.
    const std::string_view first = text.substr(begin, text.find('\n', begin) - begin);
    const bool opens = list || (object && first.find_first_not_of(" \t\r{") == std::string_view::npos) ||
                       (object && text.find('\n', begin) == std::string_view::npos);
    if (are_lines(text.substr(begin)) || !(opens || try_parse_brought_json(text)))
      reader.lines(text);
    else
      reader.document(parse_brought_json(text, name));
  }
  ItemSet set = reader.finish();
  if (std::string note = note_on_bytes(text, name); !note.empty()) set.notes.push_back(std::move(note));
  return set;
}

}  // namespace bitsweep::tasks
