// What the benchmarks of queue and store share: a root that goes away, runs to fill it with, times and medians.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "store/store.h"

namespace bitsweep {

// A folder in BITSWEEP_BENCH_DIR (or /tmp), removed at the end. What it measures is the disk that this lies on.
class ScratchRoot {
 public:
  ScratchRoot() {
    const char* where = std::getenv("BITSWEEP_BENCH_DIR");
    std::string name = std::string(where == nullptr ? "/tmp" : where) + "/bitsweep-bench-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr)
      throw Error(ErrorKind::environment, fmt::format("cannot make a folder like '{}'", name));
    folder_ = name;
  }
  ScratchRoot(const ScratchRoot&) = delete;
  ScratchRoot& operator=(const ScratchRoot&) = delete;
  ~ScratchRoot() {
    std::error_code code;
    fs::remove_all(folder_, code);
  }
  const fs::path& path() const { return folder_; }

 private:
  fs::path folder_;
};

inline std::string bench_id(int64_t i) { return fmt::format("{:012x}", (i * 2654435761) & 0xffffffffffff); }

inline store::NewRun bench_run(int64_t i, json::object spec = {}) {
  store::NewRun run;
  run.id = bench_id(i);
  run.spec = std::move(spec);
  run.axes = {{"train.lr", 1e-4 * static_cast<double>(1 + i % 10)}, {"model.params", 1'000'000 * (1 + i / 10 % 10)}};
  run.plugin = "v57";
  run.seed = i;
  run.params = 1'000'000;
  run.tokens = 20'000'000;
  run.steps = 2000;
  run.flops = 1.2e14;
  return run;
}

inline store::NewSweep bench_sweep(const std::string& name, std::vector<store::NewRun> runs) {
  return {.name = name, .file = name + ".yaml", .source = name, .settings = {}, .runs = std::move(runs)};
}

template <class Work>
double seconds_of(Work&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

// The anchor of both: a durable append of 4 KB to the disk that `folder` lies on, median.
inline double durable_append_s(const fs::path& folder) {
  const Fd fd = open_file(folder / "anchor", O_WRONLY | O_CREAT | O_APPEND);
  const std::string block(4096, 'x');
  std::vector<double> times;
  for (int i = 0; i < 50; ++i)
    times.push_back(seconds_of([&] {
      write_all(fd.get(), block, "anchor");
      ::fdatasync(fd.get());
    }));
  return quantile(times, 0.5);
}

// A row of a table: what was measured, what it was, what it should be, and the ratio to the run's own anchor.
inline void bench_row(const std::string& what, const std::string& value, const std::string& must,
                      const std::string& anchor) {
  fmt::print("{:<58}{:>22}  {:<22}{}\n", what, value, must, anchor);
  std::fflush(stdout);
}

}  // namespace bitsweep
