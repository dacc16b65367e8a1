#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "prepare/planning.h"
#include "execute/capture.h"

namespace bitsweep::prepare {
namespace {

constexpr double kDescribeTimeout_s = 120;
// A plugin that crashes this often is not asked again: each time costs a process.
constexpr int kMostCrashes = 3;

std::string line_of(const plan::DescribeQuestion& question) {
  json::object line{{"plugin", question.plugin}, {"request", to_json(question.request)}};
  if (!question.freeze.empty()) line["freeze"] = strings_json(question.freeze);
  return compact_json(line) + "\n";
}

plan::DescribeAnswer answer_of(const std::string& line, const fs::path& worker) {
  const auto answer = try_parse_json(line);
  const json::object* object = answer && answer->is_object() ? &answer->get_object() : nullptr;
  const json::value* description = object == nullptr ? nullptr : object->if_contains("description");
  if (description != nullptr && description->is_object()) {
    try {
      return {plugin::description_from_json(description->get_object()), "", integer_or(*object, "process_bytes", 0),
              string_or(*object, "freeze", "")};
    } catch (const Error& error) {
      return {std::nullopt, error.what()};
    }
  }
  const std::string message = object == nullptr ? "" : string_or(*object, "error", "");
  if (object != nullptr && string_or(*object, "kind", "input") == "environment")
    throw Error(ErrorKind::environment, message);
  return {std::nullopt, message.empty() ? fmt::format("'{}' gave no answer: {}", worker.string(), line) : message};
}

// Whole lines only: a torn last line is no answer.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  return lines;
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

std::vector<plan::DescribeAnswer> WorkerDescriber::describe(const std::vector<plan::DescribeQuestion>& questions) {
  std::vector<plan::DescribeAnswer> answers;
  std::map<std::string, std::pair<int, std::string>> crashes;  // by plugin: how often, and the last message
  while (answers.size() < questions.size()) {
    const auto& [crashed_before, message] = crashes[questions[answers.size()].plugin];
    if (crashed_before >= kMostCrashes) {
      answers.push_back({std::nullopt, message});
      continue;
    }
    std::string input;
    for (size_t i = answers.size(); i < questions.size(); ++i) input += line_of(questions[i]);
    const execute::Captured said =
        execute::capture({worker_.string(), "describe", "--plugin-dir", plugins_.string()}, input, kDescribeTimeout_s);
    const size_t before = answers.size();
    for (const std::string& line : lines_of(said.out)) {
      if (answers.size() < questions.size()) answers.push_back(answer_of(line, worker_));
    }
    if (answers.size() == questions.size()) break;
    // It answered nothing because it cannot run at all, not because of the first question.
    const std::string why = last_line(said.err);
    const bool crashed = said.exit_code > 128;
    if (answers.size() == before && !crashed && !said.timed_out)
      throw Error(ErrorKind::environment, fmt::format("'{}' {}: {}", worker_.string(), said.ending(), why));
    auto& [times, text] = crashes[questions[answers.size()].plugin];
    ++times;
    text = fmt::format("the plugin cannot describe this model: its process {}{}{}", said.ending(),
                       why.empty() ? "" : ": ", why);
    answers.push_back({std::nullopt, text});
  }
  return answers;
}

}  // namespace bitsweep::prepare
