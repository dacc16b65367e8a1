#include "tasks/load_tasks.h"

#include <algorithm>

#include "tasks/read_items.h"

namespace bitsweep::tasks {
namespace {

ItemSet items_in(const std::string& file, const std::string& kind, const BuiltinQuestions& builtin) {
  const std::vector<std::string>& names = spec::builtin_task_files();
  if (std::find(names.begin(), names.end(), file) == names.end()) return read_item_file(file, kind);
  return read_items(builtin(file), kind, file);
}

}  // namespace

std::vector<Task> load_tasks(const std::vector<spec::TaskSpec>& specs, const BuiltinQuestions& builtin) {
  std::vector<Task> tasks;
  std::vector<Diagnostic> wrong;
  for (const spec::TaskSpec& spec : specs) {
    try {
      const ItemSet items = items_in(spec.file, spec.kind, builtin);
      ItemSet examples;
      if (!spec.shots_from.empty()) examples = items_in(spec.shots_from, spec.kind, builtin);
      tasks.push_back(make_task(spec, items, spec.shots_from.empty() ? nullptr : &examples));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      wrong.insert(wrong.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
  return tasks;
}

}  // namespace bitsweep::tasks
