// `bitsweep ask`: a run's checkpoint answers the questions of tasks; the numbers go into the database, the answers into
// the attempt's folder.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/task_metrics.h"
#include "cli/checkpoint_choice.h"
#include "cli/spec_at_hand.h"
#include "cli/work_options.h"
#include "prepare/ask_worker.h"
#include "prepare/scratch_folder.h"
#include "render/table.h"
#include "report/run_table.h"
#include "spec/task_spec.h"

namespace bitsweep::cli {
namespace {

constexpr double kMostItems = 1e9, kMostShots = 1000;

// What a file of questions is called as a task: its name without what a metric's name cannot hold.
std::string task_name(const std::string& file) {
  std::string name = fs::path(file).stem().string().substr(0, 40);
  for (char& c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')) c = '_';
  return name;
}

// A file of questions itself, or a built-in one.
spec::TaskSpec single_task(const std::string& file, const std::string& kind) {
  const std::vector<std::string>&kinds = task_kinds(), &builtin = spec::builtin_task_files();
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    throw Error(ErrorKind::input, fmt::format("--kind {}: expected one of {}{}", kind, fmt::join(kinds, ", "),
                                              did_you_mean(kind, kinds)));
  const bool known = std::find(builtin.begin(), builtin.end(), file) != builtin.end();
  std::error_code code;
  if (!known && !fs::is_regular_file(file, code))
    throw Error(ErrorKind::input, fmt::format("--tasks: there is no file '{}'{}; built in: {}", file,
                                              did_you_mean(file, builtin), fmt::join(builtin, ", ")));
  spec::TaskSpec task;
  task.name = task_name(file);
  task.file = known ? file : fs::absolute(file).lexically_normal().string();
  task.kind = kind;
  return task;
}

std::vector<spec::TaskSpec> tasks_of(const CommandLine& line) {
  const std::string file = line.get("tasks").value_or("");
  if (file.empty())
    throw Error(ErrorKind::input, "ask: --tasks FILE is required: a list of tasks in YAML, or questions with --kind");
  const bool yaml = file.ends_with(".yaml") || file.ends_with(".yml");
  if (yaml && line.has("kind"))
    throw Error(ErrorKind::input, "--kind is for a file of questions; a list of tasks says it of each");
  if (!yaml && !line.has("kind"))
    throw Error(ErrorKind::input, fmt::format("'{}' is no list of tasks in YAML; for a file of questions say --kind {}",
                                              file, fmt::join(task_kinds(), " | ")));
  std::vector<spec::TaskSpec> tasks =
      yaml ? spec::read_task_file(file) : std::vector{single_task(file, line.get("kind").value_or(""))};
  const auto limit = line.number("limit", 1, kMostItems), shots = line.number("shots", 0, kMostShots);
  for (spec::TaskSpec& task : tasks) {
    if (limit) task.limit = static_cast<int64_t>(*limit);
    if (shots) task.shots = static_cast<int64_t>(*shots);
  }
  return tasks;
}

struct Asked {
  int64_t step = 0;
  std::vector<std::pair<std::string, double>> metrics;  // those that are finite
  MetricKinds kinds;
  std::vector<MetricKind> told;
  json::object answer;  // the worker's
};

Asked ask(const store::Store& store, const ChosenCheckpoint& chosen, const std::vector<spec::TaskSpec>& tasks,
          const std::optional<std::string>& tokenizer, const coordinate::WorkOptions& options) {
  const fs::path folder = chosen.attempt_folder();
  const prepare::ScratchFolder scratch(store.paths().root, "ask");
  const fs::path spec = write_spec_at_hand(chosen, tokenizer, scratch.path());
  const fs::path file = scratch.path() / "tasks.json";
  write_file_atomic(file, compact_json(to_json(tasks)));
  Asked asked;
  asked.answer = prepare::ask_worker(options, "ask", spec, store.paths().cache(),
                                     {"--checkpoint", chosen.file.string(), "--run", chosen.run.id, "--out",
                                      folder.string(), "--tasks", file.string()});
  asked.step = integer_or(asked.answer, "step", 0);
  for (const auto& metric : asked.answer.at("metrics").as_object())
    if (metric.value().is_number()) asked.metrics.emplace_back(metric.key(), metric.value().to_number<double>());
  for (const json::value& value : asked.answer.at("kinds").as_array())
    if (auto kind = metric_kind_from(value)) {
      asked.kinds.put(*kind);
      asked.told.push_back(*std::move(kind));
    }
  return asked;
}

// A row a metric, with its standard error where there is one.
render::Table table_of(const Asked& asked) {
  render::Table table{{{"metric"},
                       {"value", render::Align::right},
                       {"±", render::Align::right},
                       {"chance", render::Align::right},
                       {"what"}},
                      {}};
  const auto value_of = [&](const std::string& name) -> std::optional<double> {
    for (const auto& [metric, value] : asked.metrics)
      if (metric == name) return value;
    return std::nullopt;
  };
  for (const MetricKind& kind : asked.told) {
    const auto value = value_of(kind.name);
    if (!value || kind.name.ends_with("_se")) continue;
    const auto error = value_of(kind.name + "_se");
    table.rows.push_back({kind.name, report::metric_text(*value, &kind),
                          error ? report::metric_text(*error, &kind) : "",
                          kind.chance ? report::metric_text(*kind.chance, &kind) : "", kind.help});
  }
  return table;
}

json::object json_of(const ChosenCheckpoint& chosen, const std::vector<spec::TaskSpec>& tasks, const Asked& asked) {
  return {{"run", chosen.run.id},
          {"checkpoint", chosen.file.string()},
          {"step", asked.step},
          {"metrics", asked.answer.at("metrics")},
          {"kinds", asked.answer.at("kinds")},
          {"tasks", to_json(tasks)},
          {"files", asked.answer.at("files")},
          {"notes", asked.answer.at("notes")}};
}

int do_ask(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("tasks", "a YAML list of tasks, as eval.tasks of a sweep; or a file of questions, or stories-questions")
      .value("kind", "choice, continue or generate: of a file of questions")
      .value("checkpoint", "best or last (default: best, where there is one)")
      .value("limit", "the first so many questions of each task")
      .value("shots", "examples before each question")
      .flag("json", "one JSON document")
      .quiet_option()
      .root_option();
  declare_tokenizer_option(line);
  declare_device_options(line);
  if (!line.parse(args, 1, 1)) return 0;
  const std::string kind = checkpoint_kind(line);
  const std::vector<spec::TaskSpec> tasks = tasks_of(line);
  if (!store::Store::exists(line.root()))
    store::Store(line.root(), store::StoreMode::read_only);  // says what is missing
  store::Store store(line.root(), store::StoreMode::create);
  const ChosenCheckpoint chosen = choose_checkpoint(store, line.positional()[0], kind);
  const Asked asked = ask(store, chosen, tasks, line.get("tokenizer"), work_options(line));
  store.put_metric_kinds(asked.told, system_clock().unix_s());
  store.put_metrics(chosen.run.id, chosen.attempt, asked.step, asked.metrics);
  if (line.has("json")) {
    print(pretty_json(json_of(chosen, tasks, asked)) + "\n");
    return 0;
  }
  PrintedNotes notes(line.has("quiet"));
  for (const json::value& note : asked.answer.at("notes").as_array()) notes.note(std::string(note.as_string()));
  std::string text = fmt::format("run {}, {} at step {}\n\n{}\n", chosen.run.id, chosen.file.filename().string(),
                                 asked.step, terminal_table(table_of(asked)));
  for (const json::value& file : asked.answer.at("files").as_array())
    text += fmt::format("answers in {}\n", std::string_view(file.as_string()));
  text += "(the whole prompt of the first question: 'first_prompt' in the first line of each)\n";
  print(text);
  return 0;
}

}  // namespace

const Verb kAskVerb{"ask", "Ask a run's checkpoint the questions of tasks: accuracy, F1, bits per byte of answers",
                    "RUN", "bitsweep ask 3fa2 --tasks tasks.yaml", do_ask};

}  // namespace bitsweep::cli
