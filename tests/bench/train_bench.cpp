// What the worker costs over a bare LibTorch loop of the same model and batch (tokens/s, a ratio; must: ≥ 0.97), and
// how long it takes from its start to its first step beyond LibTorch's own start (must: ≤ 0.2 s).
//
// The worker's side is the real process with events, an evaluation of one window every 5 steps and a checkpoint in 25
// (the default recipe's are 200 and 500), without the probes that end a run once; the bare side is forward, loss,
// backward, clipping and fused AdamW. Both after some steps of warm-up, on one thread. A neighbour can only slow a
// round down, so the best of interleaved rounds is compared with the best.
//
// usage: bench_train [ROUNDS]      with the worker and the plugins of its own build
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "event/event.h"
#include "nn/model.h"
#include "plugin/build_id.h"
#include "plugin/loader.h"
#include "spec/run_spec.h"

extern char** environ;

namespace bitsweep {
namespace {

constexpr int64_t kWarmup = 5, kSteps = 20;  // per round and side
constexpr int64_t kBatch = 16, kContext = 128, kVocab = 128;

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Seconds from start to end of the process; its output goes nowhere.
double process_time(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const double begin_s = now_s();
  pid_t child = 0;
  int status = 0;
  if (posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ) != 0 || ::waitpid(child, &status, 0) < 0)
    throw Error(ErrorKind::environment, fmt::format("cannot start {}", command[0]));
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) throw Error(ErrorKind::failed, fmt::format("{} ended with status {}", command[0], status));
  return now_s() - begin_s;
}

struct Bench {
  std::string worker;
  fs::path plugins, folder;

  spec::RunSpec spec(const std::string& plugin, int64_t steps, int64_t every) const {
    spec::RunSpec spec;
    spec.model.plugin = plugin;
    spec.model.options = {{"d_model", 160}, {"n_layers", 4}, {"n_heads", 10}, {"d_ff", 320}};
    spec.data.corpus = (folder / "text.txt").string();
    spec.data.tokenizer = "ascii128";
    spec.data.context = kContext;
    spec.train.steps = steps;
    spec.train.batch = kBatch;
    spec.eval = {.every = every, .windows = 1, .probes = "off"};
    spec.checkpoint = {.every = steps, .keep_last = true, .keep_best = false};
    return spec;
  }

  double worker_time(const spec::RunSpec& spec) const {
    fs::remove_all(folder / "attempt");
    std::ofstream(folder / "spec.json") << canonical_json(to_json(spec));
    return process_time({worker, "train", "--spec", folder / "spec.json", "--out", folder / "attempt", "--run", "0",
                         "--attempt", "1", "--cache", folder / "data", "--plugin-dir", plugins, "--threads", "1"});
  }

  // Seconds of kSteps steps after kWarmup, by the run's own events.
  double worker_steps(const std::string& plugin) const {
    worker_time(spec(plugin, kWarmup + kSteps, kWarmup));
    double begin_s = 0, end_s = 0;
    for (const event::Event& event : event::read_events(folder / "attempt" / "events.jsonl", 0).events) {
      if (event.kind == "eval" && begin_s == 0) begin_s = event.time;
      if (event.kind == "end") end_s = event.time;
    }
    return end_s - begin_s;
  }

  double bare_steps(const std::string& name) const {
    at::set_num_threads(1);
    const plugin::Plugin plugin = plugin::load_plugin(name, plugins, BITSWEEP_BUILD_ID);
    const plugin::OwnedModel model =
        plugin.create({.options = spec(name, 1, 1).model.options, .vocab = kVocab, .context = kContext});
    at::Generator noise = at::detail::createCPUGenerator(1);
    std::vector<at::Tensor> weights, m, v;
    for (const nn::Parameter& p : model->parameters()) weights.push_back(p.tensor);
    for (const at::Tensor& w : weights) m.push_back(at::zeros_like(w)), v.push_back(at::zeros_like(w));
    const at::Tensor count = at::zeros({});
    const at::Tensor tokens = at::randint(kVocab, {8, kBatch, kContext + 1}, at::kLong);
    double begin_s = 0;
    for (int64_t step = 0; step < kWarmup + kSteps; ++step) {
      if (step == kWarmup) begin_s = now_s();
      const at::Tensor batch = tokens[step % 8];
      const at::Tensor logits = model->forward(batch.narrow(1, 0, kContext), {true, step, kWarmup + kSteps, noise});
      at::cross_entropy_loss(logits.reshape({-1, kVocab}), batch.narrow(1, 1, kContext).reshape({-1})).backward();
      const at::NoGradGuard no_grad;
      std::vector<at::Tensor> gradients;
      for (const at::Tensor& w : weights) gradients.push_back(w.grad());
      const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
      count.add_(1);
      at::_fused_adamw_(weights, gradients, m, v, {}, std::vector<at::Tensor>(weights.size(), count), 1e-3, 0.9, 0.95,
                        0.01, 1e-8, false, false, norm.clamp_min(1.0));
      for (at::Tensor& w : weights) w.mutable_grad().reset();
    }
    return now_s() - begin_s;
  }

  void compare_loops(int rounds) const {
    constexpr double kTokens = static_cast<double>(kSteps * kBatch * kContext);
    fmt::print("{:<8}{:>17}{:>15}{:>8}\n", "plugin", "worker tokens/s", "bare tokens/s", "ratio");
    for (const std::string name : {"llama", "v57", "v75"}) {
      double bare_s = 1e9, worker_s = 1e9;
      for (int i = 0; i < rounds; ++i) {
        bare_s = std::min(bare_s, bare_steps(name));
        worker_s = std::min(worker_s, worker_steps(name));
      }
      fmt::print("{:<8}{:>17.0f}{:>15.0f}{:>8.3f}\n", name, kTokens / worker_s, kTokens / bare_s, bare_s / worker_s);
    }
  }

  // One step of a model so small that the step itself is nothing, with its evaluation and checkpoint.
  void time_start(int rounds) const {
    spec::RunSpec one = spec("llama", 1, 1);
    one.model.options = {{"d_model", 32}, {"n_layers", 1}, {"n_heads", 2}, {"d_ff", 32}};
    one.train.batch = 1;
    std::vector<double> start, run;
    for (int i = 0; i < 4 * rounds; ++i) {
      start.push_back(process_time({worker, "--version"}));
      run.push_back(worker_time(one));
    }
    fmt::print(
        "\nworker with LibTorch, start to end {:.3f} s; with one step, evaluation, checkpoint {:.3f} s; beyond: {:.3f} "
        "s\n",
        median(start), median(run), median(run) - median(start));
  }
};

int bench(const std::string& worker, const fs::path& plugins, int rounds) {
  std::string folder = "/tmp/bitsweep-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) throw Error(ErrorKind::environment, "cannot make a folder in /tmp");
  {
    std::ofstream text(fs::path(folder) / "text.txt");
    for (int i = 0; i < 100000; ++i) text << i * 2654435761u % 1000003 << (i % 7 == 0 ? "\n" : " ");
  }
  const Bench bench{worker, fs::absolute(plugins), folder};
  bench.time_start(rounds);
  bench.compare_loops(rounds);
  fs::remove_all(folder);
  return 0;
}

// The variables that the launcher sets for every worker (they count before main), for both sides.
void set_malloc_variables(char** argv) {
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") != nullptr) return;
  ::setenv("MALLOC_MMAP_THRESHOLD_", "4294967296", 1);
  ::setenv("MALLOC_TRIM_THRESHOLD_", "17179869184", 1);
  ::execv("/proc/self/exe", argv);
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    bitsweep::set_malloc_variables(argv);
    const bitsweep::fs::path bin = bitsweep::program_folder();
    const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 5;
    return bitsweep::bench(bin / "bitsweep-worker", bin.parent_path() / "plugins", rounds);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
