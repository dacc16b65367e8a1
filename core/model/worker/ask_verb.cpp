#include "worker/ask_verb.h"

#include <ostream>

#include <c10/util/Exception.h>

#include "base/error.h"
#include "train/task_answers.h"
#include "worker/checkpoint_weights.h"
#include "worker/run_input.h"

namespace bitsweep::worker {
namespace {

int ask(const AskArguments& arguments, std::ostream& stream) {
  CollectedNotes unsaid;  // standard output is the answer alone
  const RunInput input = open_run(arguments, unsaid);
  const spec::RunSpec& spec = input.spec;
  const std::string tasks_file = arguments.tasks.string();
  const train::TaskSet tasks = train::open_tasks(
      spec::task_specs_from(parse_json(read_file(arguments.tasks), tasks_file)), spec.data, input.dataset);
  const train::Progress progress = load_weights(arguments.checkpoint, arguments.run, spec, *input.model);
  input.model->to(input.device);
  const nn::StepContext step{
      .training = false, .step = progress.step - 1, .total_steps = spec.train.steps, .noise = {}};
  train::TaskModel model(*input.model, train::task_model_settings(spec, tasks, step, input.device));
  CollectedNotes log;
  const train::AskedTasks asked =
      ask_tasks(tasks, /*all=*/true, model, arguments.run, progress.step, arguments.out, log);
  json::object metrics;
  for (const auto& [name, value] : asked.metrics) metrics[name] = finite_or_null(value);
  json::array kinds, files, notes;
  for (const MetricKind& kind : metric_kinds_of(tasks)) kinds.push_back(to_json(kind));
  for (const fs::path& file : asked.files) files.emplace_back(file.string());
  for (const CollectedNotes::Note& note : log.all())
    if (note.kind == Notes::Kind::note) notes.emplace_back(note.text);
  stream << json::serialize(json::object{{"step", progress.step},
                                         {"metrics", std::move(metrics)},
                                         {"kinds", std::move(kinds)},
                                         {"files", std::move(files)},
                                         {"notes", std::move(notes)}})
         << '\n'
         << std::flush;
  return 0;
}

}  // namespace

int ask_verb(const AskArguments& arguments, std::ostream& stream) {
  try {
    return ask(arguments, stream);
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::failed, error.what_without_backtrace());
  }
}

}  // namespace bitsweep::worker
