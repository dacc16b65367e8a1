// `bitsweep work`: take runs off the queue until it is empty.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/options.h"
#include "cli/predict_waiting.h"
#include "cli/progress.h"
#include "cli/work_options.h"
#include "coordinate/coordinator.h"
#include "execute/local.h"
#include "predict/prediction_loop.h"
#include "predict/predictions.h"

namespace bitsweep::cli {
namespace {

int do_work(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option();
  declare_work_options(line);
  line.flag("forever", "stay when the queue is empty, and take what is submitted");
  if (!line.parse(args, 0, 100'000)) return 0;
  const fs::path root = line.root();
  coordinate::WorkOptions options = work_options(line);
  options.forever = line.has("forever");
  const coordinate::CoordinatorLock lock(root);
  store::Store store(root, store::StoreMode::create);
  for (const std::string& sweep : line.positional()) {
    if (!store.sweep_settings(sweep)) store.runs_of(sweep);  // throws with the nearest name
    options.sweeps.push_back(sweep);
  }
  prepare_root(store, line, options);
  execute::LocalExecutor executor({.own_cpus = options.own_cpus});
  const bool quiet = line.has("quiet");
  PrintedNotes notes(quiet);
  predict::store_predictions(store, options.sweeps, "work", notes);
  const auto progress =
      predict::predicting_progress(make_progress(quiet), predict_waiting_command(root, options.sweeps, "work"), quiet);
  const coordinate::WorkResult result = work(store, lock, executor, system_clock(), options, *progress);
  const std::string failures = failure_text(result, store.paths());
  if (!failures.empty()) fmt::print(stderr, "{}", failures);
  if (result.interrupted) print_error("interrupted; 'bitsweep work' goes on from the last checkpoints");
  return result.exit_code();
}

}  // namespace

const Verb kWorkVerb{"work", "Take runs off the queue on this machine's devices until it is empty",
                     "[SWEEP…] [--devices cpu:2] [--forever]", "bitsweep work --devices cpu:2", do_work};

}  // namespace bitsweep::cli
