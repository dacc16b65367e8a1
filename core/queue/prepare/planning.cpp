#include "prepare/planning.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "coordinate/machine_memory.h"
#include "prepare/base_runs.h"
#include "prepare/builds_at_hand.h"
#include "prepare/measure.h"
#include "prepare/programs.h"
#include "prepare/sweep_tasks.h"
#include "store/store.h"
#include "store/sweep_settings.h"

namespace bitsweep::prepare {
namespace {

// A model and a text are asked about once, however many files name them.
class CachingProbe : public plan::DatasetProbe {
 public:
  explicit CachingProbe(plan::DatasetProbe& behind) : behind_(behind) {}
  plan::DatasetFacts probe(const spec::DataSpec& data) override {
    spec::RunSpec spec;
    spec.data = data;
    const std::string key = canonical_json(to_json(spec).at("data"));
    const auto known = known_.find(key);
    return known != known_.end() ? known->second : known_.emplace(key, behind_.probe(data)).first->second;
  }
  plan::DatasetFacts probe_beside(const spec::DataSpec& own, const spec::AlsoSpec& text) override {
    return behind_.probe_beside(own, text);
  }

 private:
  plan::DatasetProbe& behind_;
  std::map<std::string, plan::DatasetFacts> known_;
};

std::vector<plugin::Manifest> known_plugins(Notes& notes) {
  std::vector<std::string> problems;
  std::vector<plugin::Manifest> plugins = plugin::find_plugins(plugin_folder(), &problems);
  for (const std::string& problem : problems) notes.warning(problem);
  return plugins;
}

// Of a run that may go anywhere: where its gradients are rounded.
std::string device_of(const spec::RunSpec& run, const spec::Sweep& sweep) {
  const std::string& asked = sweep.resources.device;
  return asked == "any" && run.train.rounds_gradients() ? "cpu" : asked;
}

// A run for no device in particular is timed for a GPU when one was measured.
std::string device_kind(const std::string& device, const std::vector<plan::MeasuredSpeed>& on_gpu) {
  const std::string asked = device.substr(0, device.find(':'));
  return asked == "cpu" || asked == "cuda" ? asked : on_gpu.empty() ? "cpu" : "cuda";
}

void mark_states(std::vector<plan::Plan>& plans, const fs::path& root) {
  if (!store::Store::exists(root)) return;
  store::Store store(root, store::Database::Mode::read_only);
  BuildsAtHand at_hand;
  for (plan::Plan& plan : plans) {
    for (plan::PlannedRun& run : plan.runs) {
      const auto state = store.state(run.id);
      if (!state) continue;
      run.state = std::string(to_text(*state));
      if (*state != RunState::done) continue;
      plan::OtherBuild build{store.latest_build(run.id), at_hand.of(run.spec.model.plugin)};
      if (!differing_parts(build.made, build.now).empty()) run.other_build = std::move(build);
    }
  }
}

store::SweepSettings settings_of(const spec::Sweep& sweep) {
  store::SweepSettings settings{.stop_after = sweep.stop_after,
                                .stop_rule = sweep.stop.rule,
                                .stop = {.metric = sweep.stop.metric,
                                         .grace = sweep.stop.grace,
                                         .reduction = sweep.stop.reduction,
                                         .fewest = sweep.stop.fewest,
                                         .probability = sweep.stop.probability,
                                         .within = sweep.stop.within,
                                         .diverged = sweep.stop.diverged},
                                .order = sweep.order,
                                .after = sweep.after,
                                .on_oom = sweep.on_oom,
                                .laws = sweep.report.laws,
                                .targets = {}};
  for (const spec::ScalingTarget& target : sweep.report.targets)
    settings.targets.push_back({target.params, target.tokens});
  return settings;
}

bool by_place(const Diagnostic& a, const Diagnostic& b) {
  return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
}

store::NewRun new_run(const plan::PlannedRun& run, const spec::Sweep& sweep) {
  store::NewRun row;
  row.id = run.id;
  row.spec = to_json(run.spec);
  row.axes = run.axes;
  row.plugin = run.spec.model.plugin;
  row.seed = run.spec.seed;
  row.params = run.model.params;
  row.params_extra = run.model.params_extra;
  row.params_nonembedding = run.model.params_nonembedding();
  row.tokens = run.spec.tokens();
  row.steps = run.spec.train.steps;
  row.flops = run.flops;
  row.epochs = run.epochs;
  row.dataset = dataset_id(run.spec.data);
  row.init_from = run.spec.train.init_from;
  row.resources.device = device_of(run.spec, sweep);
  row.resources.slots = sweep.resources.slots;
  row.resources.threads = sweep.resources.threads.value_or(0);
  const double predicted = run.memory ? static_cast<double>(run.memory->total_bytes()) : 0;
  row.resources.memory_bytes = static_cast<int64_t>(sweep.resources.memory_bytes.value_or(predicted));
  row.resources.timeout_s = sweep.resources.timeout_s.value_or(0);
  row.retries = sweep.retries;
  row.priority = sweep.priority;
  return row;
}

}  // namespace

std::vector<plan::Plan> plan_sweeps(const std::vector<std::string>& files, const std::vector<std::string>& overrides,
                                    const fs::path& root, Texts& texts, Notes& notes) {
  const std::vector<plugin::Manifest> plugins = known_plugins(notes);
  WorkerDescriber describer(worker_program(), plugin_folder());
  CachingProbe probe(texts);
  std::vector<plan::Plan> plans;
  std::vector<Diagnostic> problems;
  std::map<std::string, std::string> names;
  for (const std::string& file : files) {
    try {
      std::vector<Diagnostic> missing;
      spec::Sweep sweep = spec::load_sweep({file, overrides, plugins}, &missing);
      problems.insert(problems.end(), missing.begin(), missing.end());
      check_tasks(sweep, texts, problems);
      const auto [first, fresh] = names.emplace(sweep.name, file);
      if (fresh)
        plans.push_back(make_plan(std::move(sweep), describer, probe));
      else
        problems.push_back(
            {.file = file, .message = fmt::format("the name '{}' is already that of {}", sweep.name, first->second)});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      problems.insert(problems.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  check_bases(plans, root, texts, problems);
  if (!problems.empty()) {
    std::stable_sort(problems.begin(), problems.end(), by_place);
    throw Error(ErrorKind::input, std::move(problems));
  }
  mark_states(plans, root);
  return plans;
}

void add_times(std::vector<plan::Plan>& plans, const fs::path& root) {
  if (!store::Store::exists(root)) return;
  store::Store store(root, store::Database::Mode::read_only);
  const std::vector<plan::MeasuredSpeed> on_cpu = known_speeds(store, "cpu"), on_gpu = known_speeds(store, "cuda");
  for (plan::Plan& plan : plans) {
    for (plan::PlannedRun& run : plan.runs) {
      const bool gpu = device_kind(device_of(run.spec, plan.sweep), on_gpu) == "cuda";
      run.time = estimate_time(run, gpu ? on_gpu : on_cpu);
    }
  }
}

void note_memory(plan::Plan& plan, const std::vector<schedule::DeviceSlots>& devices) {
  const schedule::DeviceSlots& device = devices.at(0);
  const bool gpu = device.name != "cpu";
  const std::optional<int64_t> bytes = gpu ? coordinate::gpu_memory_bytes() : coordinate::cpu_memory_bytes();
  if (!bytes) return;
  for (std::string& note : memory_notes(plan, gpu ? "the GPU" : "this machine", *bytes, device.slots))
    plan.notes.push_back(std::move(note));
}

store::NewSweep new_sweep(const plan::Plan& plan) {
  store::NewSweep sweep;
  sweep.name = plan.sweep.name;
  sweep.file = fs::absolute(plan.sweep.file).lexically_normal().string();
  sweep.source = plan.sweep.text;
  sweep.settings = to_json(settings_of(plan.sweep));
  for (const plan::PlannedRun& run : plan.runs) sweep.runs.push_back(new_run(run, plan.sweep));
  return sweep;
}

}  // namespace bitsweep::prepare
