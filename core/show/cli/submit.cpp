// `bitsweep submit`: plan sweep files and put their runs into the queue.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/data_texts.h"
#include "cli/options.h"
#include "cli/work_options.h"
#include "predict/predictions.h"
#include "prepare/planning.h"
#include "prepare/submission.h"

namespace bitsweep::cli {
namespace {

int do_submit(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option().values("set", "PATH=VALUE: override a key of the sweep files").flag("json", "one JSON document");
  line.flag("again", kAgainHelp).quiet_option();
  if (!line.parse(args, 1, 1000)) return 0;
  const fs::path root = line.root();
  store::refuse_network_filesystem(root);
  // Everything that can be wrong with any of the files is found before the first of them is queued.
  const bool quiet = line.has("quiet");
  PrintedNotes notes(quiet);
  DataTexts texts(root / "data", &notes);
  const std::vector<plan::Plan> plans = plan_sweeps(line.positional(), line.all("set"), root, texts, notes);
  store::Store store(root, store::StoreMode::create);
  json::array documents;
  for (const plan::Plan& plan : plans)
    for (const std::string& note : plan.notes)
      if (!quiet) print_error(note);
  for (const prepare::Submission& submission : submit_plans(plans, store, texts, notes, line.has("again"))) {
    documents.push_back(to_json(submission));
    if (!line.has("json") && !quiet) print(submission_text(submission));
  }
  std::vector<std::string> sweeps;
  for (const plan::Plan& plan : plans) sweeps.push_back(plan.sweep.name);
  predict::store_predictions(store, sweeps, "submit", notes);
  if (line.has("json")) print(pretty_json(documents) + "\n");
  return 0;
}

}  // namespace

const Verb kSubmitVerb{"submit", "Queue the runs of sweep files; the same file twice adds nothing",
                       "SWEEP.yaml… [--set PATH=VALUE]", "bitsweep submit sweeps/quickstart.yaml", do_submit};

}  // namespace bitsweep::cli
