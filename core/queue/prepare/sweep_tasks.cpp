#include "prepare/sweep_tasks.h"

#include <string>

namespace bitsweep::prepare {
namespace {

// A file that is not was told when the sweep was read.
bool is_there(const std::string& file) {
  std::error_code unreadable;
  return !fs::path(file).is_absolute() || fs::is_regular_file(file, unreadable);
}

}  // namespace

void check_tasks(const spec::Sweep& sweep, Texts& texts, std::vector<Diagnostic>& problems) {
  if (sweep.runs.empty() || sweep.runs[0].spec.eval.tasks.empty()) return;
  const spec::ExpandedRun& run = sweep.runs[0];
  std::vector<spec::TaskSpec> tasks = run.spec.eval.tasks;
  std::erase_if(tasks, [](const spec::TaskSpec& task) { return !is_there(task.file) || !is_there(task.shots_from); });
  try {
    texts.check_tasks(tasks);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    for (const Diagnostic& d : error.diagnostics()) problems.push_back(run.tasks_place.diagnostic(d.to_string()));
  }
}

}  // namespace bitsweep::prepare
