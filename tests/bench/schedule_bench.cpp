// The scheduler's decisions: how long one takes with a long queue, what they make of a year on 64 GPUs (simulated, by
// the very same code), and what each stop rule saves and wrongly kills on curves: generated ones, and those of the
// finished runs of databases. usage: bench_schedule [ROOT…]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/rng.h"
#include "predict/extrapolate.h"
#include "schedule/replay.h"
#include "schedule/simulate.h"
#include "spec/lr_schedule.h"
#include "store/curves.h"

namespace bitsweep {
namespace {

constexpr double kHour = 3600, kYear = 365 * 24 * kHour;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<schedule::DeviceSlots> gpus(int64_t count, int64_t slots) {
  std::vector<schedule::DeviceSlots> devices;
  for (int64_t i = 0; i < count; ++i) devices.push_back({fmt::format("cuda:{}", i), slots, INT64_C(80) << 30});
  return devices;
}

double dice(uint64_t what, uint64_t i) { return random_unit(11, what, i); }

// Hours from a quarter to 64, as many short as long on a logarithmic scale; sizes and sweeps beside.
schedule::SimulatedRun some_run(uint64_t i, uint64_t sweeps) {
  schedule::SimulatedRun run;
  run.seconds = kHour * 0.25 * std::pow(256.0, dice(1, i));
  run.run.id = fmt::format("r{}", i);
  run.run.sweep = fmt::format("s{}", static_cast<uint64_t>(dice(2, i) * static_cast<double>(sweeps)));
  run.run.device = "cuda";
  run.run.priority = dice(3, i) < 0.1 ? 1 : 0;
  run.run.predicted_s = run.seconds * std::exp(0.6 * (dice(4, i) - 0.5));  // off by up to a third
  run.run.memory_bytes = (INT64_C(1) << 30) * (1 + static_cast<int64_t>(dice(5, i) * 16) * 3);
  run.faults = dice(6, i) < 0.05 ? 1 : 0;
  return run;
}

void time_decisions() {
  const std::vector<schedule::DeviceSlots> devices = gpus(64, 2);
  schedule::RunQueue queue;
  for (uint64_t i = 0; i < 100'000; ++i) {
    schedule::QueuedRun run = some_run(i, 100).run;
    run.position = static_cast<int64_t>(i);
    queue.put(std::move(run));
  }
  const auto median = [&](const std::vector<schedule::RunningRun>& running) {
    std::vector<double> times;
    for (int turn = 0; turn < 51; ++turn) {
      const double from = seconds_now();
      const schedule::Decision decision = schedule::decide({.devices = devices, .running = running, .queue = &queue});
      static_cast<void>(decision);
      times.push_back(1e3 * (seconds_now() - from));
    }
    std::nth_element(times.begin(), times.begin() + 25, times.end());
    return times[25];
  };
  std::vector<schedule::RunningRun> full;
  for (const schedule::DeviceSlots& device : devices) full.push_back({"x" + device.name, device.name, 2, 0});
  std::vector<schedule::RunningRun> one_free(full.begin() + 1, full.end());
  std::vector<schedule::RunningRun> crowded = full;  // slots free, but no bytes: every kind of demand is asked after
  for (schedule::RunningRun& run : crowded) run.slots = 1, run.memory_bytes = INT64_C(80) << 30;
  fmt::print(
      "decision, 100,000 queued in 100 sweeps, 64 devices (ms): all idle {:.3f}, one idle {:.3f}, all busy {:.3f}, "
      "slots without memory {:.3f}\n",
      median({}), median(one_free), median(full), median(crowded));
}

void print_simulation(const char* what, const std::vector<schedule::SimulatedRun>& runs, int64_t slots) {
  const double from = seconds_now();
  const schedule::Simulation r = simulate(gpus(64, slots), runs);
  fmt::print("{:<34} {:>6} {:>6} {:>7.1f} {:>7.1f} {:>6.3f} {:>6.1f}% {:>6.1f}% {:>7.1f} {:>8.1f} {:>5} {:>6.2f}\n",
             what, r.runs, r.done, r.makespan_s / kHour / 24, r.lower_bound_s / kHour / 24,
             r.makespan_s / r.lower_bound_s, 100 * r.utilisation, 100 * r.waiting_utilisation, r.mean_wait_s / kHour,
             r.longest_wait_s / kHour, r.overcommitted, seconds_now() - from);
}

void simulate_years() {
  std::puts("\n10,000 runs on 64 GPUs, simulated:");
  fmt::print("{:<34} {:>6} {:>6} {:>7} {:>7} {:>6} {:>7} {:>7} {:>7} {:>8} {:>5} {:>6}\n", "", "runs", "done", "days",
             "bound", "ratio", "used", "queued", "wait h", "longest", "over", "s");
  std::vector<schedule::SimulatedRun> year, at_once, long_year;
  for (uint64_t i = 0; i < 10'000; ++i) {
    schedule::SimulatedRun run = some_run(i, 40);
    at_once.push_back(run);
    run.submitted = std::floor(52 * dice(7, i)) / 52 * kYear;  // a batch a week
    year.push_back(run);
    run.seconds *= 4.2, run.run.predicted_s *= 4.2;
    long_year.push_back(run);
  }
  print_simulation("a year, a batch a week", year, 1);
  print_simulation("a year, busy all the time", long_year, 1);
  print_simulation("all at once", at_once, 1);
  print_simulation("all at once, two a GPU, by bytes", at_once, 2);
  for (schedule::SimulatedRun& run : at_once) run.run.predicted_s = 0;
  print_simulation("all at once, nothing predicted", at_once, 1);
}

struct CurveSet {
  std::string name;
  std::vector<schedule::RunCurve> curves;
  std::map<std::string, spec::TrainSpec> train;
};

// Losses that fall with the area under a cosine schedule and with its annealing, and with noise; rates that are too
// high or too low end higher, and low ones are slower at first.
CurveSet generated(double noise) {
  CurveSet set{fmt::format("generated, noise {:.3f}", noise), {}, {}};
  for (uint64_t i = 0; i < 30; ++i) {
    spec::TrainSpec train;
    train.steps = 2000;
    train.warmup = 100;
    const double off = 4 * (dice(20, i) - 0.5);  // of the logarithm of the rate
    schedule::RunCurve run{fmt::format("g{:02}", i), train.steps, {}, true};
    double area = 0, last_rate = 0, annealed = 0, push = 0;
    for (int64_t step = 1; step <= train.steps; ++step) {
      const double rate = learning_rate(train, step - 1) / train.lr;
      area += rate;
      push = 0.999 * push + std::max(0.0, last_rate - rate);
      annealed += push;
      last_rate = rate;
      if (step % 100 != 0) continue;
      const double jitter = noise * (dice(100 + i, static_cast<uint64_t>(step)) - 0.5) * std::sqrt(12.0);
      run.losses.push_back(
          {step, 1.2 + 0.05 * off * off + (6 + 0.8 * off) * std::pow(area, -0.45) - 2e-4 * annealed + jitter});
    }
    set.train[run.id] = train;
    set.curves.push_back(std::move(run));
  }
  return set;
}

std::vector<CurveSet> recorded(const fs::path& root) {
  store::Store store(root, store::StoreMode::read_only);
  std::vector<CurveSet> sets;
  for (const std::string& sweep : store.sweep_names()) {
    CurveSet set{"recorded: " + sweep, {}, {}};
    for (const store::StoredCurve& stored : sweep_curves(store, sweep, "val_bpc")) {
      if (stored.state != RunState::done || stored.losses.size() < 4) continue;
      schedule::RunCurve run{stored.run, stored.steps, {}, true};
      for (const auto& [step, loss] : stored.losses) run.losses.push_back({step, loss});
      set.train[run.id] = spec::run_spec_from_json(store.run(stored.run)->spec).train;
      set.curves.push_back(std::move(run));
    }
    if (set.curves.size() >= 6) sets.push_back(std::move(set));
  }
  return sets;
}

void replay(const CurveSet& set) {
  fmt::print("\n{} ({} runs)\n{:<22} {:>8} {:>8} {:>6} {:>10} {:>8} {:>8}\n", set.name, set.curves.size(), "rule",
             "stopped", "saved", "best?", "top tenth", "regret", "s");
  const int64_t steps = set.curves.front().steps;
  const schedule::Extrapolate extrapolate = [&](const schedule::RunCurve& run) {
    return predict::extrapolate_curve(run, set.train.at(run.id));
  };
  const std::vector<std::pair<const char*, schedule::StopSettings>> rules = {
      {"none", {}},
      {"asha, thirds", {.rule = schedule::StopRule::asha, .grace = steps / 9, .reduction = 3}},
      {"asha, halves", {.rule = schedule::StopRule::asha, .grace = steps / 8, .reduction = 2}},
      {"median", {.rule = schedule::StopRule::median, .grace = steps / 5}},
      {"curve, 0.95", {.rule = schedule::StopRule::curve, .grace = steps / 5}},
      {"curve, 0.80", {.rule = schedule::StopRule::curve, .grace = steps / 5, .probability = 0.8}}};
  for (const auto& [name, settings] : rules) {
    const double from = seconds_now();
    const schedule::ReplayResult r = replay_stopping(settings, set.curves, 4, extrapolate);
    fmt::print("{:<22} {:>8} {:>7.1f}% {:>6} {:>7}/{:<2} {:>8.4f} {:>8.2f}\n", name, r.stopped,
               r.steps > 0 ? 100 * static_cast<double>(r.steps_saved) / static_cast<double>(r.steps) : 0,
               r.best_stopped != 0 ? "killed" : "kept", r.top_stopped, r.top, r.regret, seconds_now() - from);
  }
}

int bench(const std::vector<std::string>& roots) {
  time_decisions();
  simulate_years();
  for (const double noise : {0.0, 0.02}) replay(generated(noise));
  for (const std::string& root : roots)
    for (const CurveSet& set : recorded(root)) replay(set);
  return 0;
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    return bitsweep::bench({argv + 1, argv + argc});
  } catch (const bitsweep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
