// The coordinator with real processes: what a run costs that does nothing, how soon an event is seen, and what watching
// costs. Anchors, measured in the same run: starting and reaping /bin/true, and a durable append.
//
// usage: bench_queue QUEUE_PEERS.PY [RUNS]     (PYTHON=… names the Python that has the peers; tests/bench/run --peers)
#include <cmath>
#include <fstream>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinate/coordinator.h"
#include "execute/local.h"
#include "python_anchor.h"
#include "scratch_root.h"

extern char** environ;

namespace bitsweep {
namespace {

double start_of_true_s() {
  std::vector<double> times;
  for (int i = 0; i < 100; ++i)
    times.push_back(seconds_of([] {
      char name[] = "/bin/true";
      char* argv[] = {name, nullptr};
      pid_t child = 0;
      if (::posix_spawn(&child, name, nullptr, nullptr, argv, environ) == 0) ::waitpid(child, nullptr, 0);
    }));
  return quantile(times, 0.5);
}

void fill(const fs::path& root, int64_t count, const json::object& spec) {
  store::Store store(root, store::StoreMode::create);
  std::vector<store::NewRun> runs;
  for (int64_t i = 0; i < count; ++i) runs.push_back(bench_run(i, spec));
  store.submit(bench_sweep("bench", runs));
}

coordinate::WorkResult work_here(const fs::path& root, int64_t slots) {
  coordinate::WorkOptions options;
  options.devices = {{"cpu", slots, 0}};
  options.worker_program = program_folder() / "bench_worker";
  options.plugin_folder = "/nowhere";
  options.warm_below_s = 0;  // a fresh process each
  const coordinate::CoordinatorLock lock(root);
  store::Store store(root, store::StoreMode::create);
  execute::LocalExecutor executor;
  coordinate::Progress silent;

  return coordinate::work(store, lock, executor, system_clock(), options, silent);
}

// What others ask for a trial that does nothing.
void bench_peers(const std::string& script) {
  const ScratchRoot root;
  const auto peers = python_anchor(script, root.path().string());
  const auto row = [&](const char* name, const std::string& what) {
    if (peers && peers->contains(name))
      bench_row(what, fmt::format("{:.2f} ms", 1e3 * peers->at(name).to_number<double>()), "", "");
    else
      bench_row(what, "not found", "", "");
  };
  row("optuna_trial_s", "peer: a trial of Optuna with SQLite, no process");
  row("optuna_report_s", "peer: a value reported to it");
  row("spooler_job_s", "peer: /bin/true through task-spooler");
}

void bench_noop(int64_t runs, double true_s, double append_s) {
  const ScratchRoot root;
  fill(root.path(), runs, {{"evals", 0}});
  coordinate::WorkResult result;
  const double each = seconds_of([&] { result = work_here(root.path(), 1); }) / static_cast<double>(runs);
  if (result.done != runs) throw Error(ErrorKind::failed, fmt::format("{} of {} runs done", result.done, runs));
  bench_row(fmt::format("a run that does nothing, {} in a row on one slot", runs), fmt::format("{:.2f} ms", each * 1e3),
            "<= 5 ms", fmt::format("{:.1f} x true, {:.1f} appends", each / true_s, each / append_s));
}

// CPU seconds that a process has used, to the nanosecond.
double cpu_s(pid_t pid) {
  clockid_t clock = 0;
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

double resident_mb(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

// Sixteen workers that each tell ten events a second, watched from outside as a person's `status --watch` would.
void bench_watching() {
  constexpr int64_t kWorkers = 16, kEvals = 150;
  const ScratchRoot root;
  fill(root.path(), kWorkers, {{"evals", kEvals}, {"interval_ms", 100}});
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work_here(root.path(), kWorkers).exit_code());
  std::vector<double> delays;
  double begin_cpu = 0, begin = 0, cpu = 0, resident = 0;
  {
    store::Store store(root.path(), store::StoreMode::read_only);

    std::map<std::string, int64_t> seen;
    store::Statement newest = store.database().prepare("SELECT id FROM run");
    store::Statement of_run =
        store.database().prepare("SELECT seq, time FROM event WHERE run = ? AND attempt = 1 AND seq > ?");
    std::vector<std::string> ids;
    while (newest.step()) ids.push_back(newest.text(0));
    int64_t version = -1;
    while (::waitpid(child, nullptr, WNOHANG) == 0) {
      ::usleep(500);
      const double elapsed = system_clock().monotonic_s();
      if (begin == 0 && elapsed > 0) begin = elapsed;
      if (begin_cpu == 0 && elapsed - begin > 3) {
        begin_cpu = cpu_s(child);
        cpu = elapsed;
      }
      if (elapsed - begin > 12 && resident == 0) {
        resident = resident_mb(child);
        cpu = (cpu_s(child) - begin_cpu) / (elapsed - cpu);
      }
      if (const int64_t now = store.data_version(); now != version) {
        version = now;
        const double unix_s = system_clock().unix_s();
        for (const std::string& id : ids)
          for (of_run.bind(id, seen[id]); of_run.step(); seen[id] = of_run.integer(0))
            delays.push_back(unix_s - of_run.real(1));
      }
    }
  }
  bench_row("event written -> seen by a reader, 16 workers, 10 events/s each",
            fmt::format("{:.0f} ms median", quantile(delays, 0.5) * 1e3), "<= 100 ms",
            fmt::format("p99 {:.0f} ms, most {:.0f} ms, {} events", quantile(delays, 0.99) * 1e3,
                        quantile(delays, 1.0) * 1e3, delays.size()));
  bench_row("coordinator's CPU meanwhile", fmt::format("{:.2f} % of a core", cpu * 100), "<= 1 %", "");
  bench_row("coordinator's memory", fmt::format("{:.1f} MB", resident), "<= 50 MB", "");
}

int bench(const std::string& peers, int64_t runs) {
  double append_s = 0;
  {
    const ScratchRoot root;
    append_s = durable_append_s(root.path());
  }
  const double true_s = start_of_true_s();
  bench_row("anchor: a durable append of 4 KB", fmt::format("{:.3f} ms", append_s * 1e3), "", "");
  bench_row("anchor: /bin/true started and reaped", fmt::format("{:.3f} ms", true_s * 1e3), "", "");
  bench_noop(runs, true_s, append_s);
  bench_peers(peers);
  bench_watching();
  return 0;
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    return bitsweep::bench(argc > 1 ? argv[1] : "", argc > 2 ? std::max(1, std::atoi(argv[2])) : 1000);
  } catch (const bitsweep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
