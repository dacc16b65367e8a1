// `bitsweep run`: the whole way, from sweep files to a report.
#include <fmt/format.h>

#include "advise/report_advice.h"
#include "base/error.h"
#include "cli/data_texts.h"
#include "cli/options.h"
#include "cli/predict_waiting.h"
#include "cli/work_options.h"
#include "coordinate/coordinator.h"
#include "execute/local.h"
#include "predict/prediction_loop.h"
#include "predict/predictions.h"
#include "prepare/planning.h"
#include "prepare/submission.h"
#include "report/report.h"

namespace bitsweep {
namespace {

// Queues all sweeps; how many of their runs are not done yet.
int64_t submit_all(const std::vector<Plan>& plans, Store& store, Texts& texts, Notes& notes) {
  for (const Plan& plan : plans)
    for (const std::string& note : plan.notes) print_error(note);
  int64_t open = 0;
  for (const Submission& submission : submit_plans(plans, store, texts, notes)) {
    fmt::print(stderr, "{}", submission_text(submission));
    open -= submission.result.done;
  }
  for (const Plan& plan : plans) open += plan.totals().runs;
  return open;
}

int do_run(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().values("set", "PATH=VALUE, overrides a key of the sweep files");
  line.value("out,o", "folder of reports (default: ./reports)");
  declare_work_options(line);
  if (!line.parse(args, 1)) return 0;
  const fs::path root = line.root();
  WorkOptions options = work_options(line);
  DataTexts texts(root / "data");
  PrintedNotes notes;
  const std::vector<Plan> plans = plan_sweeps(line.positional(), line.all("set"), root, texts, notes);
  for (const Plan& plan : plans) options.sweeps.push_back(plan.sweep.name);

  const CoordinatorLock lock(root);
  WorkResult result;
  {
    Store store(root, StoreMode::create);
    if (submit_all(plans, store, texts, notes) > 0) {
      prepare_root(store, line, options);
      LocalExecutor executor({.own_cpus = options.own_cpus});
      store_predictions(store, options.sweeps, "run", notes);
      const auto progress =
          predicting_progress(make_progress(line.has("quiet")), predict_waiting_command(root, options.sweeps, "run"));
      result = work(store, lock, executor, options, *progress);
      if (const std::string text = failure_text(result, store.paths()); !text.empty()) fmt::print(stderr, "{}", text);
    }
  }
  if (result.interrupted) {
    print_error("interrupted; the same command goes on from the last checkpoints");
    return result.exit_code();
  }
  ReportInput input = gather_report(Query(root), options.sweeps, "", BITSWEEP_VERSION);
  const Analysis analysis = analyse_sweeps(root, input);
  const fs::path folder = fs::absolute(line.get("out").value_or("reports"));
  print(write_report(folder, input.name, render_report(input, analysis)).string() + "\n");
  keep_fits(root, input, analysis, notes);
  return result.exit_code();
}

}  // namespace

const Verb kRunVerb{"run", "Plan, queue, train and report: prints the report's path last",
                    "SWEEP.yaml… [--set PATH=VALUE]…", "bitsweep run sweeps/quickstart.yaml", do_run};

}  // namespace bitsweep
