#include "tasks/answer.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"

namespace bitsweep::tasks {
namespace {

constexpr std::string_view kBegin = "answers-", kEnd = ".jsonl", kAttempt = "attempt-";

json::object numbers_json(const std::map<std::string, double>& numbers) {
  json::object object;
  for (const auto& [name, value] : numbers) object[name] = finite_or_null(value);
  return object;
}

json::object to_json(const Answer& answer) {
  // What is said ends where tokens do, and that may be within a character.
  std::vector<std::string> gold;
  for (const std::string& one : answer.gold) gold.push_back(valid_utf8(one));
  json::object object{{"item", valid_utf8(answer.item)},
                      {"asked", valid_utf8(answer.asked)},
                      {"prompt_sha256", answer.prompt_sha256},
                      {"said", valid_utf8(answer.said)},
                      {"gold", strings_json(gold)},
                      {"right", answer.right},
                      {"scores", numbers_json(answer.scores)}};
  if (!answer.log_likelihoods.empty()) {
    json::array& list = object["log_likelihoods"].emplace_array();
    for (const double nats : answer.log_likelihoods) list.push_back(finite_or_null(nats));
  }
  return object;
}

std::map<std::string, double> numbers_in(const json::object& object, std::string_view key) {
  std::map<std::string, double> numbers;
  const json::value* inner = object.if_contains(key);
  if (inner == nullptr || !inner->is_object()) return numbers;
  for (const auto& member : inner->get_object())
    if (member.value().is_number()) numbers.emplace(member.key(), member.value().to_number<double>());
  return numbers;
}

std::vector<std::string> texts_in(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const json::value* inner = object.if_contains(key);
  if (inner == nullptr || !inner->is_array()) return texts;
  for (const json::value& item : inner->get_array())
    if (item.is_string()) texts.emplace_back(item.get_string());
  return texts;
}

Answer answer_from(const json::object& object) {
  Answer answer{.item = string_or(object, "item", ""),
                .asked = string_or(object, "asked", ""),
                .prompt_sha256 = string_or(object, "prompt_sha256", ""),
                .said = string_or(object, "said", ""),
                .gold = texts_in(object, "gold"),
                .right = bool_or(object, "right", false),
                .scores = numbers_in(object, "scores"),
                .log_likelihoods = {}};
  if (const json::value* list = object.if_contains("log_likelihoods"); list != nullptr && list->is_array())
    for (const json::value& nats : list->get_array())
      if (nats.is_number()) answer.log_likelihoods.push_back(nats.to_number<double>());
  return answer;
}

std::optional<int64_t> number_of(std::string_view digits) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

// "answers-NAME-STEP.jsonl"; a name may hold dashes.
std::optional<AnswerPlace> place_of(const fs::path& path, int64_t attempt) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return std::nullopt;
  const std::string_view inner =
      std::string_view(name).substr(kBegin.size(), name.size() - kBegin.size() - kEnd.size());
  const size_t dash = inner.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto step = number_of(inner.substr(dash + 1));
  if (!step) return std::nullopt;
  return AnswerPlace{path, std::string(inner.substr(0, dash)), attempt, *step};
}

}  // namespace

std::string answer_file_name(const std::string& task, int64_t step) {
  return fmt::format("{}{}-{}{}", kBegin, task, step, kEnd);
}

std::string answer_lines(const AnswerFile& file) {
  std::vector<std::string> left_out;
  for (const std::string& id : file.left_out) left_out.push_back(valid_utf8(id));
  std::string lines = compact_json(json::object{{"answers", file.task.name},
                                                {"run", file.run},
                                                {"step", file.step},
                                                {"task", to_json(file.task)},
                                                {"metrics", numbers_json(file.metrics)},
                                                {"notes", strings_json(file.notes)},
                                                {"first_prompt", valid_utf8(file.first_prompt)},
                                                {"left_out", strings_json(left_out)}}) +
                      "\n";
  for (const Answer& answer : file.answers) lines += compact_json(to_json(answer)) + "\n";
  return lines;
}

AnswerFile read_answers(const fs::path& path) {
  const std::string text = read_file(path);
  AnswerFile file;
  int line = 0;
  const auto wrong = [&](const char* what) { return Error(ErrorKind::input, {{path.string(), line, 0, what}}); };
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const auto value = try_parse_json(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line;
    if (!value || !value->is_object()) throw wrong("no JSON object");
    const json::object& object = value->get_object();
    if (line > 1) {
      if (!object.contains("item")) throw wrong("no answer: it has no 'item'");
      file.answers.push_back(answer_from(object));
      continue;
    }
    const json::value* task = object.if_contains("task");
    if (!object.contains("answers") || task == nullptr)
      throw wrong("no file of answers: it does not begin with its task");
    file.run = string_or(object, "run", "");
    file.step = integer_or(object, "step", 0);
    file.task = spec::task_specs_from(json::array{*task}).at(0);
    file.metrics = numbers_in(object, "metrics");
    file.notes = texts_in(object, "notes");
    file.left_out = texts_in(object, "left_out");
    file.first_prompt = string_or(object, "first_prompt", "");
  }
  if (line == 0) throw wrong("the file is empty");
  return file;
}

std::vector<AnswerPlace> answer_files(const fs::path& run_folder) {
  std::vector<AnswerPlace> places;
  std::error_code code;
  for (const fs::directory_entry& attempt : fs::directory_iterator(run_folder, code)) {
    const std::string name = attempt.path().filename().string();
    const auto number = name.starts_with(kAttempt) ? number_of(name.substr(kAttempt.size())) : std::nullopt;
    if (!number) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(attempt.path(), code))
      if (auto place = place_of(file.path(), *number)) places.push_back(*std::move(place));
  }
  std::sort(places.begin(), places.end(), [](const AnswerPlace& a, const AnswerPlace& b) {
    return std::tie(a.attempt, a.step, a.task) < std::tie(b.attempt, b.step, b.task);
  });
  return places;
}

}  // namespace bitsweep::tasks
