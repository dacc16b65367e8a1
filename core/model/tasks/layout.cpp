#include "tasks/layout.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "tasks/forms.h"

namespace bitsweep::tasks {
namespace {

constexpr const char* kAnswer = "answer";

// Stanford Alpaca's two prompts (Taori et al. 2023).
constexpr std::string_view kAlpaca =
    "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
    "response that appropriately completes the request.\n\n### Instruction:\n{{instruction}}\n\n### "
    "Input:\n{{input}}\n\n### Response:\n";
constexpr std::string_view kAlpacaBare =
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{{instruction}}\n\n### Response:\n";
constexpr std::string_view kChatMl = "<|im_start|>user\n{{prompt}}<|im_end|>\n<|im_start|>assistant\n";

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> names_of_answers(const std::string& kind) {
  std::vector<std::string> names = answer_names(kind);
  if (!contains(names, kAnswer)) names.emplace_back(kAnswer);
  return names;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

TextTemplate::TextTemplate(std::string_view text, const std::vector<std::string>& known, const std::string& what,
                           const std::vector<std::string>& answers) {
  const auto wrong = [&](const std::string& why) {
    return Error(ErrorKind::input, fmt::format("{} \"{}\": {}; fields: {}", what, text, why, fmt::join(known, ", ")));
  };
  bool any = false;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t open = rest.find("{{");
    if (open > 0) parts_.push_back({false, std::string(rest.substr(0, open))});
    if (open == std::string_view::npos) break;
    const size_t close = rest.find("}}", open);
    if (close == std::string_view::npos) throw wrong("'{{' is not closed by '}}'");
    std::string name(rest.substr(open + 2, close - open - 2));
    name.erase(0, std::min(name.find_first_not_of(' '), name.size()));
    name.erase(name.find_last_not_of(' ') + 1);
    if (contains(answers, name))
      throw wrong(fmt::format("field '{}' is the answer, and a prompt must not give it away", name));
    if (!contains(known, name)) throw wrong(fmt::format("unknown field '{}'{}", name, did_you_mean(name, known)));
    parts_.push_back({true, std::move(name)});
    any = true;
    rest.remove_prefix(close + 2);
  }
  if (!any) throw wrong("it names no {{field}}, so that every question would be the same");
}

std::string TextTemplate::fill(const Item& item, std::string_view answer) const {
  std::string text;
  for (const Part& part : parts_) {
    if (!part.is_field)
      text += part.text;
    else if (part.text == kAnswer)
      text += answer;
    else
      text += item.fields.find(part.text)->second;
  }
  return text;
}

Layout::Layout(const spec::TaskSpec& task, const ItemSet& items, const std::string& key) {
  const std::string what = key.empty() ? fmt::format("task '{}': template", task.name) : key;
  const std::vector<std::string> answers = names_of_answers(task.kind);
  std::vector<std::string> of_prompt = items.field_names(), of_answer = of_prompt;
  std::erase_if(of_prompt, [&](const std::string& name) { return contains(answers, name); });
  if (!contains(of_answer, kAnswer)) of_answer.emplace_back(kAnswer);
  stops_ = {"\n"};
  if (!task.prompt.empty()) {
    prompt_.emplace(task.prompt, of_prompt, what + " prompt", answers);
  } else if (task.preset == "alpaca") {
    prompt_.emplace(kAlpaca, of_prompt, what, answers);
    bare_prompt_.emplace(kAlpacaBare, of_prompt, what, answers);
    stops_ = {"\n\n### "};
  } else if (task.preset == "chatml") {
    prompt_.emplace(kChatMl, of_prompt, what, answers);
    stops_ = {"<|im_end|>"};
  }
  if (!task.answer.empty()) answer_.emplace(task.answer, of_answer, what + " answer");
}

std::string Layout::prompt(const Item& item) const {
  if (!prompt_) return item.fields.at("prompt");
  return (bare_prompt_ && item.fields.at("input").empty() ? *bare_prompt_ : *prompt_).fill(item, "");
}

std::string Layout::answer(const Item& item, std::string_view prompt, std::string_view answer) const {
  if (answer_) return answer_->fill(item, answer);
  const bool spaced = prompt.empty() || answer.empty() || is_space(prompt.back()) || is_space(answer.front());
  return (spaced ? "" : " ") + std::string(answer);
}

}  // namespace bitsweep::tasks
