// The coordinator as a program that the tests can kill: the work loop as bitsweep has it, with the worker of the test's
// choice.   work ROOT WORKER SLOTS GRACE_S; BITSWEEP_TEST_* for the rest
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "cli/progress.h"
#include "coordinate/coordinator.h"
#include "execute/local.h"
#include "predict/extrapolate.h"

namespace bitsweep {
namespace {

double number_of(const char* name, double otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atof(text);
}

int work_there(char** args) {
  const fs::path root = args[0];
  coordinate::WorkOptions options;
  options.devices = {{"cpu", std::atoi(args[2]), 0}};
  options.threads = 2;
  options.grace_s = std::atof(args[3]);
  options.first_retry_s = 0.001;
  options.hung_after_s = number_of("BITSWEEP_TEST_HUNG_AFTER", 1);
  options.disk_floor_bytes = static_cast<int64_t>(number_of("BITSWEEP_TEST_DISK_FLOOR", 0));
  options.forever = std::getenv("BITSWEEP_TEST_FOREVER") != nullptr;
  options.worker_program = args[1];
  options.plugin_folder = "/nowhere";
  options.curve_end = predict::extrapolate_curve;
  const coordinate::CoordinatorLock lock(root);
  store::Store store(root, store::StoreMode::create);
  execute::LocalExecutor executor;
  const auto progress = cli::make_progress(false);
  const coordinate::WorkResult result = work(store, lock, executor, system_clock(), options, *progress);
  std::fputs(cli::failure_text(result, store.paths()).c_str(), stderr);
  return result.exit_code();
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    if (argc == 6 && std::strcmp(argv[1], "work") == 0) return bitsweep::work_there(argv + 2);
    return 2;
  } catch (const bitsweep::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
