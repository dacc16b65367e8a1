#include "prepare/sweep_texts.h"

#include <set>
#include <string>

#include <fmt/format.h>

#include "spec/also_value.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::prepare {
namespace {

// What `check` throws, told at the place of the sweep that asks for it.
template <class Check>
void tell_at(const YamlPlace& place, const std::string& begin, std::vector<Diagnostic>& problems, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    for (const Diagnostic& d : error.diagnostics()) problems.push_back(place.diagnostic(begin + d.to_string()));
  }
}

// A file that is not was told when the sweep was read.
bool is_there(const std::string& file) {
  std::error_code unreadable;
  return !fs::path(file).is_absolute() || fs::is_regular_file(file, unreadable);
}

// Runs of one sweep have the tasks of its file, all the same ones.
void check_tasks(const spec::Sweep& sweep, Texts& texts, std::vector<Diagnostic>& problems) {
  if (sweep.runs.empty() || sweep.runs[0].spec.eval.tasks.empty()) return;
  const spec::ExpandedRun& run = sweep.runs[0];
  std::vector<spec::TaskSpec> tasks = run.spec.eval.tasks;
  std::erase_if(tasks, [](const spec::TaskSpec& task) { return !is_there(task.file) || !is_there(task.shots_from); });
  tell_at(run.tasks_place, "", problems, [&] { texts.check_tasks(tasks); });
}

// Each text beside once a tokenizer and context.
void check_also(const spec::Sweep& sweep, Texts& texts, std::vector<Diagnostic>& problems) {
  std::set<std::string> seen;
  for (const spec::ExpandedRun& run : sweep.runs)
    for (const spec::AlsoSpec& text : run.spec.eval.also) {
      const spec::DataSpec& own = run.spec.data;
      const std::string key =
          canonical_json(json::array{spec::to_json(std::vector{text}), spec::tokenizer_json(own), own.context});
      if (!seen.insert(key).second) continue;
      tell_at(run.also_place, fmt::format("eval.also.{}: ", text.name), problems, [&] { texts.check_also(own, text); });
    }
}

}  // namespace

void check_texts(const spec::Sweep& sweep, Texts& texts, std::vector<Diagnostic>& problems) {
  check_tasks(sweep, texts, problems);
  check_also(sweep, texts, problems);
}

}  // namespace bitsweep::prepare
