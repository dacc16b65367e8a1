// How a question is put: {{field}} in a template becomes the item's text, and nothing else is done to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/task_spec.h"
#include "tasks/item.h"

namespace bitsweep::tasks {

class TextTemplate {
 public:
  // Throws Error{input}, naming `what`: no field is named, or one that is not among `known`, or one of `answers`, which
  // would give the answer away, or a brace is not closed.
  TextTemplate(std::string_view text, const std::vector<std::string>& known, const std::string& what,
               const std::vector<std::string>& answers = {});
  // `answer` is what {{answer}} becomes.
  std::string fill(const Item& item, std::string_view answer) const;

 private:
  struct Part {
    bool is_field = false;
    std::string text;
  };
  std::vector<Part> parts_;
};

// Both sides of a question.
class Layout {
 public:
  // Of a task's template or preset, for these items. Throws Error{input} as TextTemplate does, and for a prompt that
  // gives the answer away. `key`: what the template is called there; "": it is the task's.
  Layout(const spec::TaskSpec& task, const ItemSet& items, const std::string& key = "");

  std::string prompt(const Item& item) const;
  // `answer` as it follows the prompt: without a template of its own behind a space, where neither side brings one.
  std::string answer(const Item& item, std::string_view prompt, std::string_view answer) const;
  // What ends a reply where the task does not say.
  const std::vector<std::string>& stops() const { return stops_; }

 private:
  std::optional<TextTemplate> prompt_, bare_prompt_, answer_;  // bare: of an item without `input`
  std::vector<std::string> stops_;
};

}  // namespace bitsweep::tasks
