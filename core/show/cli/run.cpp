// `bitsweep run`: the whole way, from sweep files to a report.
#include <fmt/format.h>

#include "advise/report_advice.h"
#include "base/clock.h"
#include "base/error.h"
#include "cli/data_texts.h"
#include "cli/options.h"
#include "cli/predict_waiting.h"
#include "cli/progress.h"
#include "cli/work_options.h"
#include "coordinate/coordinator.h"
#include "execute/local.h"
#include "predict/prediction_loop.h"
#include "predict/predictions.h"
#include "prepare/duration.h"
#include "prepare/measure.h"
#include "prepare/planning.h"
#include "prepare/submission.h"
#include "report/report.h"

namespace bitsweep::cli {
namespace {

// Queues all sweeps; how many of their runs are not done yet.
int64_t submit_all(const std::vector<plan::Plan>& plans, store::Store& store, prepare::Texts& texts,
                   const CommandLine& line, Notes& notes) {
  const bool quiet = line.has("quiet");
  for (const plan::Plan& plan : plans)
    for (const std::string& note : plan.notes)
      if (!quiet) print_error(note);
  int64_t open = 0;
  for (const prepare::Submission& submission : submit_plans(plans, store, texts, notes, line.has("again"))) {
    if (!quiet) fmt::print(stderr, "{}", submission_text(submission));
    open -= submission.result.done;
  }
  for (const plan::Plan& plan : plans) open += plan.totals().runs;
  return open;
}

// Before the first run, in one line.
void say_how_long(std::vector<plan::Plan>& plans, const fs::path& root, const coordinate::WorkOptions& options,
                  Notes& notes) {
  measure_speeds(plans, root, options, notes, prepare::MeasureScope::largest);
  prepare::add_times(plans, root);
  if (const std::string text = prepare::expected_text(plans, options.devices.at(0).slots); !text.empty())
    notes.progress(text);
}

int do_run(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().values("set", "PATH=VALUE, overrides a key of the sweep files");
  line.value("out,o", "folder of reports (default: ./reports)");
  line.flag("again", kAgainHelp);
  line.flag("measure", "first train a shape of each model for a few seconds, and say how long all will take");
  declare_work_options(line);
  if (!line.parse(args, 1)) return 0;
  const fs::path root = line.root();
  coordinate::WorkOptions options = work_options(line);
  const bool quiet = line.has("quiet");
  PrintedNotes notes(quiet);
  DataTexts texts(root / "data", &notes);
  std::vector<plan::Plan> plans = plan_sweeps(line.positional(), line.all("set"), root, texts, notes);
  for (const plan::Plan& plan : plans) options.sweeps.push_back(plan.sweep.name);

  const coordinate::CoordinatorLock lock(root);
  coordinate::WorkResult result;
  {
    store::Store store(root, store::StoreMode::create);
    if (submit_all(plans, store, texts, line, notes) > 0) {
      prepare_root(store, line, options);
      if (line.has("measure")) say_how_long(plans, root, options, notes);
      execute::LocalExecutor executor({.own_cpus = options.own_cpus});
      predict::store_predictions(store, options.sweeps, "run", notes);
      const auto progress = predict::predicting_progress(make_progress(quiet),
                                                         predict_waiting_command(root, options.sweeps, "run"), quiet);
      result = work(store, lock, executor, system_clock(), options, *progress);
      if (const std::string text = failure_text(result, store.paths()); !text.empty()) fmt::print(stderr, "{}", text);
    }
  }
  if (result.interrupted) {
    print_error("interrupted; the same command goes on from the last checkpoints");
    return result.exit_code();
  }
  analysis::ReportInput input = analysis::gather_report(query::Query(root), options.sweeps, "", BITSWEEP_VERSION);
  const analysis::Analysis analysis = advise::analyse_sweeps(root, input);
  const fs::path folder = fs::absolute(line.get("out").value_or("reports"));
  print(write_report(folder, input.name, report::render_report(input, analysis)).string() + "\n");
  advise::keep_fits(root, input, analysis, notes);
  return result.exit_code();
}

}  // namespace

const Verb kRunVerb{"run", "Plan, queue, train and report: prints the report's path last",
                    "SWEEP.yaml… [--set PATH=VALUE]…", "bitsweep run sweeps/quickstart.yaml", do_run};

}  // namespace bitsweep::cli
