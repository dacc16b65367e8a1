// How long a person waits for `bitsweep --version` and for `bitsweep runs` on 1,000 runs: medians of interleaved
// starts, as milliseconds and as ratios to /bin/true started the same way in the same run.
//
// usage: bench_cli BITSWEEP [STARTS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "base/error.h"
#include "store/store.h"

extern char** environ;

namespace bitsweep {
namespace {

constexpr int kRuns = 1000;

// Milliseconds from start to end of the process; its output goes nowhere.
double start_ms(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const auto begin = std::chrono::steady_clock::now();
  pid_t child = 0;
  int status = 0;
  if (posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ) != 0 || waitpid(child, &status, 0) < 0)
    throw Error(ErrorKind::environment, fmt::format("cannot start {}", command[0]));
  const auto end = std::chrono::steady_clock::now();
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) throw Error(ErrorKind::failed, fmt::format("{} ended with status {}", command[0], status));
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

void fill(const fs::path& root) {
  store::Store store(root, store::StoreMode::create);
  store::NewSweep sweep{.name = "bench", .file = "bench.yaml", .source = "", .settings = {}, .runs = {}};
  for (int i = 0; i < kRuns; ++i) {
    store::NewRun run;
    run.id = fmt::format("{:012x}", i * 2654435761u);
    run.spec = {{"seed", i}};
    run.axes = {{"train.lr", 1e-4 * (1 + i % 10)}, {"model.params", 1e6 * (1 + i / 100)}};
    run.plugin = "v57";
    run.seed = i;
    run.params = 1'000'000;
    run.tokens = 20'000'000;
    run.steps = 2000;
    sweep.runs.push_back(run);
  }
  store.submit(sweep);
}

int bench(const std::string& program, int starts) {
  std::string folder = "/tmp/bitsweep-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) throw Error(ErrorKind::environment, "cannot make a folder in /tmp");
  fill(folder);
  const std::vector<std::vector<std::string>> commands = {
      {"/bin/true"}, {program, "--version"}, {program, "runs", "--root", folder}};
  std::vector<std::vector<double>> times(commands.size());
  for (int i = 0; i < starts; ++i)
    for (size_t c = 0; c < commands.size(); ++c) times[c].push_back(start_ms(commands[c]));
  double anchor = 0;
  fmt::print("{:<28}{:>10}{:>12}\n", "command", "median ms", "÷ true");
  for (size_t c = 0; c < commands.size(); ++c) {
    std::nth_element(times[c].begin(), times[c].begin() + starts / 2, times[c].end());
    const double median = times[c][static_cast<size_t>(starts / 2)];
    if (c == 0) anchor = median;
    const char* name = c == 0 ? "/bin/true" : c == 1 ? "bitsweep --version" : "bitsweep runs (1,000 runs)";
    fmt::print("{:<28}{:>10.2f}{:>12.1f}\n", name, median, median / anchor);
  }
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw bitsweep::Error(bitsweep::ErrorKind::input, "usage: bench_cli BITSWEEP [STARTS]");
    return bitsweep::bench(argv[1], argc > 2 ? std::max(1, std::atoi(argv[2])) : 51);
  } catch (const bitsweep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
