#include "worker/train_verb.h"

#include <cmath>
#include <cstdio>
#include <iterator>
#include <new>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "event/event.h"
#include "nn/geometry.h"
#include "nn/kernel_for.h"
#include "plugin/build_id.h"
#include "train/token_loss.h"
#include "train/trainer.h"
#include "worker/exit_code.h"
#include "worker/loaded_code.h"
#include "worker/run_input.h"

namespace bitsweep::worker {
namespace {

struct Ending {
  int exit_code = 0;
  std::string status;  // done | diverged | stopped | failed | bad_input
  int64_t step = 0;
  std::string message;
  std::optional<int64_t> last_finite_step;
};

Ending ending_of(train::TrainOutcome outcome) {
  const bool diverged = outcome.status == train::TrainStatus::diverged,
             stopped = outcome.status == train::TrainStatus::stopped;
  return {.exit_code = diverged  ? kExitDiverged
                       : stopped ? kExitStopped
                                 : kExitDone,
          .status = diverged  ? "diverged"
                    : stopped ? "stopped"
                              : "done",
          .step = outcome.step,
          .message = std::move(outcome.message),
          .last_finite_step = outcome.last_finite_step};
}

Ending failure(ErrorKind kind, std::string message) {
  return {.exit_code = static_cast<int>(kind),
          .status = kind == ErrorKind::input ? "bad_input" : "failed",
          .message = std::move(message),
          .last_finite_step = {}};
}

// The device or the machine gave no more memory. Trying the same again cannot help; a smaller batch may.
Ending out_of_memory(const std::string& message) {
  return {.exit_code = kExitOutOfMemory,
          .status = "failed",
          .message = "out of memory: " + message,
          .last_finite_step = {}};
}

// LibTorch's CPU allocator has no error of its own.
bool is_out_of_memory(std::string_view message) {
  return message.find("DefaultCPUAllocator") != std::string_view::npos;
}

// How to read the numbers that the run will tell.
json::array metric_kinds_of(const RunInput& input, const data::ValidationWindows& windows,
                            const train::TaskSet& tasks) {
  std::vector<MetricKind> kinds = known_metric_kinds({"val_bpc", "train_bpc", "val_bpc_se"});
  const bool per_token = input.spec.data.tokenizer == spec::no_tokenizer;
  if (per_token)
    for (MetricKind& kind : kinds) kind.unit = "bits per token";
  if (!input.spec.data.is_bytes() && !per_token)
    for (MetricKind& kind : known_metric_kinds({"val_bpt", "bytes_per_token"})) kinds.push_back(std::move(kind));
  for (const AlsoText& text : input.also)
    kinds.push_back({.name = text.metric,
                     .better = Better::lower,
                     .unit = "bits per byte",
                     .chance = {},
                     .help = fmt::format("validation loss on {}", text.dataset.info().name)});
  const auto add = [&](std::vector<MetricKind> more) {
    kinds.insert(kinds.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  if (windows.have_answers()) {
    std::vector<MetricKind> answers = known_metric_kinds({"answer_accuracy", "answer_loss_bits"});
    answers.at(0).chance = data::induction_chance;
    add(std::move(answers));
  }
  if (input.spec.eval.probes != "off") add(probe_metric_kinds());
  add(input.model->metric_kinds());
  add(train::metric_kinds_of(tasks));
  json::array list;
  for (const MetricKind& kind : kinds) list.push_back(to_json(kind));
  return list;
}

void write_start(event::EventWriter& events, const TrainArguments& arguments, const RunInput& input,
                 const train::TaskSet& tasks) {
  const plugin::Plugin& plugin = input.plugin;
  const plugin::Description& description = input.description;
  const data::DatasetInfo& data = input.dataset.info();
  const data::ValidationWindows windows = input.dataset.validation(input.spec.eval);
  const CodeBuild code = loaded_code(plugin);
  json::object fields{{"params", description.params},
                      {"params_extra", description.params_extra},
                      {"stored_bits_per_weight", description.stored_bits_per_weight},
                      {"stored_bytes", description.stored_bytes},
                      {"stored_float_bits", nn::kStoredFloatBits},
                      {"device", arguments.device},
                      {"threads", arguments.threads},
                      {"build_id", BITSWEEP_BUILD_ID},
                      {"plugin", plugin.name()},
                      {"plugin_version", plugin_version(plugin.library())},
                      {"plugin_build", code.plugin},
                      {"nn_build", code.nn},
                      {"precision", input.spec.train.precision},
                      {"val_windows", windows.count()},
                      {"val_sha256", data.val_sha256},
                      {"train_tokens_available", data.train_tokens}};
  const plugin::StepPath path = train::step_path(*input.model, input.device,
                                                 train::parse_precision(input.spec.train.precision), description.path);
  for (const auto& member : plugin::to_json(path)) fields[member.key()] = member.value();
  fields["instructions"] = nn::kernel_instructions();
  if (input.spec.eval.bytes > 0) fields["val_bytes"] = windows.target_bytes(0, windows.count());
  if (!input.spec.data.is_bytes()) {
    fields["tokenizer_sha256"] = data.tokenizer_sha256;
    fields["vocab"] = data.vocab;
    fields["bytes_per_token"] = data.bytes_per_token;
    fields["bytes_kept"] = data.bytes_kept;
    // What a model that knows nothing has on exactly what is scored, which says when a loss is none: log₂ V a token.
    fields["uniform_bpc"] = std::log2(static_cast<double>(data.vocab)) *
                            static_cast<double>(windows.targets(0, windows.count())) /
                            static_cast<double>(windows.target_bytes(0, windows.count()));
  }
  if (windows.have_answers()) {
    fields["val_answers"] = static_cast<int64_t>(windows.answers(0, windows.count()).size());
    fields["answer_chance"] = data::induction_chance;
  }
  if (json::object questions = questions_of(tasks); !questions.empty()) fields["questions"] = std::move(questions);
  fields["metrics"] = metric_kinds_of(input, windows, tasks);
  events.write("start", 0, fields);
}

std::vector<train::AlsoScored> also_of(const RunInput& input) {
  std::vector<train::AlsoScored> also;
  for (const AlsoText& text : input.also) also.push_back({text.metric, text.dataset.validation(input.spec.eval)});
  return also;
}

Ending run(const TrainArguments& arguments, const std::atomic<bool>& stop, event::EventWriter& events) {
  WorkerLog log;
  const RunInput input = open_run(arguments, log);
  check_version(input.plugin, input.spec.model);
  train::TaskSet tasks = train::open_tasks(input.spec.eval.tasks, input.spec.data, input.dataset);
  write_start(events, arguments, input, tasks);
  const train::TrainJob job{.spec = input.spec,
                            .run = arguments.run,
                            .attempt_folder = arguments.out,
                            .device = input.device,
                            .resume = arguments.resume,
                            .tasks = std::move(tasks),
                            .also = also_of(input),
                            .init = arguments.init,
                            .stop = &stop};
  return ending_of(train::train(job, *input.model, input.dataset, events, log));
}

// Every way a run can fail, as an ending. LibTorch's errors carry a backtrace, which is left out.
Ending run_guarded(const TrainArguments& arguments, const std::atomic<bool>& stop, event::EventWriter& events) {
  try {
    return run(arguments, stop, events);
  } catch (const Error& error) {
    return failure(error.kind(), error.what());
  } catch (const c10::OutOfMemoryError& error) {
    return out_of_memory(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error.what_without_backtrace())) return out_of_memory(error.what_without_backtrace());
    return failure(ErrorKind::failed, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return out_of_memory("no more on this machine");
  } catch (const std::exception& error) {
    return failure(ErrorKind::failed, error.what());
  } catch (...) {
    return failure(ErrorKind::failed, "the model threw something that is no std::exception");
  }
}

// fmt::print() throws where the log's disk is full.
void say(const std::string& words) { std::fputs(fmt::format("bitsweep-worker: {}\n", words).c_str(), stderr); }

void write_end(event::EventWriter& events, const Ending& ending) {
  json::object fields{{"status", ending.status}};
  if (!ending.message.empty()) fields["message"] = ending.message;
  if (ending.last_finite_step) fields["last_finite_step"] = *ending.last_finite_step;
  events.write("end", ending.step, std::move(fields));
  events.sync();
}

}  // namespace

int train_verb(const TrainArguments& arguments, const std::atomic<bool>& stop) {
  try {
    make_folder(arguments.out);
    event::EventWriter events(arguments.out / "events.jsonl", arguments.run, arguments.attempt);
    const Ending ending = run_guarded(arguments, stop, events);
    if (!ending.message.empty()) say(ending.message);
    write_end(events, ending);
    return ending.exit_code;
  } catch (const Error& error) {
    say(error.what());
    return error.exit_code();
  }
}

}  // namespace bitsweep::worker
