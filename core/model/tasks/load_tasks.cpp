#include "tasks/load_tasks.h"

#include "tasks/read_items.h"

namespace bitsweep::tasks {

std::vector<Task> load_tasks(const std::vector<spec::TaskSpec>& specs, const QuestionText& text_of) {
  std::vector<Task> tasks;
  std::vector<Diagnostic> wrong;
  const auto items_in = [&](const std::string& file, const std::string& kind) {
    return read_items(text_of(file), kind, file);
  };
  for (const spec::TaskSpec& spec : specs) {
    try {
      const ItemSet items = items_in(spec.file, spec.kind);
      ItemSet examples;
      if (!spec.shots_from.empty()) examples = items_in(spec.shots_from, spec.kind);
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
