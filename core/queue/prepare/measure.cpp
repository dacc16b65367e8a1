#include "prepare/measure.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "prepare/scratch_folder.h"
#include "coordinate/attempt_files.h"
#include "event/event.h"
#include "execute/capture.h"
#include "execute/local.h"

namespace bitsweep::prepare {
namespace {

constexpr double kSeconds = 3;  // of training, as far as can be guessed beforehand
constexpr double kMeasureSeconds = 600;
constexpr int64_t kParts = 3;  // the first warms up
constexpr int64_t kMostSteps = 600;
constexpr double kGuessCpu = 2e10, kGuessGpu = 2e13;  // FLOP/s of a slot

// The run cut down to a few steps: one validation window after each part, no checkpoint.
spec::RunSpec short_spec(const plan::PlannedRun& run, bool gpu) {
  spec::RunSpec spec = run.spec;
  const double flops = run.training_flops_per_token() * static_cast<double>(spec.tokens_per_step());
  const double steps = kSeconds * (gpu ? kGuessGpu : kGuessCpu) / std::max(1.0, flops);
  const int64_t part = std::clamp<int64_t>(static_cast<int64_t>(steps) / kParts, 2, kMostSteps / kParts);
  spec.train.steps = part * kParts;
  spec.train.warmup = std::min(spec.train.warmup, spec.train.steps);
  spec.train.init_from.clear();
  spec.eval = {.every = part, .windows = 1, .probes = "off"};
  spec.checkpoint = {.every = spec.train.steps, .keep_last = false, .keep_best = false};
  return spec;
}

// Tokens a second of the parts behind the first.
double speed_of(const fs::path& attempt_folder) {
  double seconds = 0;
  int64_t parts = 0;
  for (const event::Event& event : event::read_events(attempt_folder / "events.jsonl", 0).events) {
    if (event.kind != "eval") continue;
    const json::value* rate = event.fields.if_contains("tokens_per_s");
    if (parts++ > 0 && rate != nullptr && rate->is_number()) seconds += 1 / rate->to_number<double>();
  }
  return seconds > 0 ? static_cast<double>(parts - 1) / seconds : 0;
}

class Measurer {
 public:
  Measurer(const fs::path& root, const coordinate::WorkOptions& options)
      : options_(options), scratch_(root, "measure"), cache_(root / "data"), slots_(options.devices.at(0)) {}

  double measure(const plan::PlannedRun& run) {
    const std::string spec = canonical_json(to_json(short_spec(run, slots_.name != "cpu")));
    std::vector<std::future<double>> copies;
    for (int64_t slot = 0; slot < slots_.slots; ++slot) {
      copies.push_back(std::async(std::launch::async, [&, slot] { return train(spec, slot); }));
    }
    double sum = 0;
    for (std::future<double>& copy : copies) sum += copy.get();
    return sum / static_cast<double>(copies.size());
  }

  const std::string& device() const { return slots_.name; }
  int64_t threads() const { return std::max<int64_t>(1, options_.threads / std::max<int64_t>(1, slots_.slots)); }

 private:
  double train(const std::string& spec, int64_t slot) const {
    const fs::path folder = scratch_.path() / std::to_string(slot);
    make_folder(folder);
    fs::remove(folder / "events.jsonl");
    write_file_atomic(folder / "spec.json", spec);
    std::vector<std::string> command = execute::slot_command(slots_.name, threads());
    const coordinate::WorkerCall call{.worker_program = options_.worker_program,
                                      .plugin_folder = options_.plugin_folder,
                                      .cache = cache_,
                                      .run = "measure",
                                      .attempt = 1,
                                      .attempt_folder = folder,
                                      .device = slots_.name,
                                      .threads = threads(),
                                      .resume = {},
                                      .init = {}};
    for (std::string& word : worker_command(call)) command.push_back(std::move(word));
    const execute::Captured captured = execute::capture(command, "", kMeasureSeconds);
    const double speed = captured.ok() ? speed_of(folder) : 0;
    if (!(speed > 0))
      throw Error(ErrorKind::failed, fmt::format("the measuring run {}\n{}", captured.ending(), captured.err));
    return speed;
  }

  const coordinate::WorkOptions& options_;
  ScratchFolder scratch_;
  fs::path cache_;
  schedule::DeviceSlots slots_;
};

using Kinds = std::map<std::string, const plan::PlannedRun*>;  // by speed_key

Kinds all_kinds(const std::vector<plan::Plan>& plans) {
  Kinds kinds;
  for (const plan::Plan& plan : plans)
    for (const plan::PlannedRun& run : plan.runs) kinds.emplace(plan::speed_key(run.spec), &run);
  return kinds;
}

// Of each plugin the run that is left with the most FLOPs: where most of the time goes.
Kinds largest(const std::vector<plan::Plan>& plans) {
  Kinds of_plugin;
  for (const plan::Plan& plan : plans) {
    for (const plan::PlannedRun& run : plan.runs) {
      if (run.state == "done") continue;
      const plan::PlannedRun*& most = of_plugin[run.spec.model.plugin];
      if (most == nullptr || run.flops > most->flops) most = &run;
    }
  }
  Kinds kinds;
  for (const auto& [plugin, run] : of_plugin) kinds.emplace(plan::speed_key(run->spec), run);
  return kinds;
}

}  // namespace

std::vector<plan::MeasuredSpeed> known_speeds(store::Store& store, std::string_view kind) {
  std::vector<plan::MeasuredSpeed> speeds;
  for (const store::SpeedRecord& record : store.speeds()) {
    if (!record.device.starts_with(kind)) continue;
    try {
      const spec::RunSpec spec = spec::run_spec_from_json(record.spec);
      speeds.push_back({plan::speed_key(spec), spec.model.plugin, record.flops_per_token, record.tokens_per_s});
    } catch (const Error&) {
      // Of an older version with other keys: it says nothing of today's runs.
    }
  }
  return speeds;
}

void measure_speeds(const std::vector<plan::Plan>& plans, const fs::path& root, const coordinate::WorkOptions& options,
                    Notes& notes, MeasureScope scope) {
  store::Store store(root, store::StoreMode::create);
  Measurer measurer(root, options);
  std::map<std::string, const plan::PlannedRun*> wanted =
      scope == MeasureScope::every ? all_kinds(plans) : largest(plans);
  const std::string kind = measurer.device().substr(0, measurer.device().find(':'));
  for (const plan::MeasuredSpeed& known : known_speeds(store, kind)) wanted.erase(known.key);
  if (kind != "cpu") std::erase_if(wanted, [](const auto& one) { return one.second->spec.train.rounds_gradients(); });
  int64_t done = 0;
  for (const auto& [key, run] : wanted) {
    notes.progress(fmt::format("measuring {}/{}: {} with {} parameters, batch {}", ++done, wanted.size(),
                            run->spec.model.plugin, format_count(static_cast<double>(run->model.params)),
                            run->spec.train.batch));
    store.put_speed({.spec = to_json(run->spec),
                     .device = measurer.device(),
                     .threads = measurer.threads(),
                     .flops_per_token = run->training_flops_per_token(),
                     .tokens_per_s = measurer.measure(*run)});
  }
}

}  // namespace bitsweep::prepare
