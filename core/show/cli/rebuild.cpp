// `bitsweep rebuild`: the database made again from the run folders, or compared with what they tell.
#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"
#include "cli/options.h"
#include "coordinate/coordinator.h"
#include "coordinate/orphan_runs.h"
#include "store/rebuild.h"

namespace bitsweep::cli {
namespace {

std::string counted(int64_t count, const char* what) {
  return fmt::format("{} {}{}", format_thousands(count), what, count == 1 ? "" : "s");
}

void tell_problems(const store::Rebuilt& result, const coordinate::OrphanRuns& lone) {
  for (const std::string& problem : result.problems) print_error(problem);
  if (result.without_events > 0)
    print_error(fmt::format("{} had events whose file is gone: their losses cannot be made again",
                            counted(result.without_events, "attempt")));
  if (lone.runs > 0)
    print_error(
        fmt::format("{} known by their folders alone, now in the sweep '{}': sweeps, axes, priorities, limits, "
                    "FLOPs, yardsticks of the data, fits and predictions are not in there; submitting their "
                    "sweeps again gives them back their places",
                    counted(lone.runs, "run"), coordinate::kRecoveredSweep));
  if (lone.attempts > 0)
    print_error(fmt::format("{} that the history did not tell of; how they ended is judged by their records",
                            counted(lone.attempts, "attempt")));
}

// Why an existing database may not be replaced unasked; "" when it is damaged.
bool in_order(const fs::path& file) {
  try {
    store::Database database(file, store::Database::Mode::read_only);
    return is_sound(database) && has_sweeps(database);
  } catch (const Error&) {
    return false;
  }
}

int compare(const fs::path& root, store::Rebuild& rebuild) {
  store::Store before(root, store::StoreMode::read_only);
  int64_t differences = 0, rows = 0;
  std::string text;
  for (const store::TableDifference& table : compare_databases(before.database(), rebuild.store().database())) {
    differences += table.differences;
    rows += table.rows;
    text +=
        fmt::format("{:<12}{:>12} rows{:>10} differ\n", table.table, format_thousands(table.rows), table.differences);
    for (const std::string& example : table.examples) text += fmt::format("  {}\n", example);
  }
  text += differences == 0 ? fmt::format("the run folders tell all {} rows of '{}'\n", format_thousands(rows),
                                         store::RootPaths{root}.database().string())
                           : fmt::format("{} of {} rows differ\n", differences, format_thousands(rows));
  print(text);
  return differences == 0 ? 0 : static_cast<int>(ErrorKind::failed);
}

int do_rebuild(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.root_option()
      .flag("check", "change nothing: compare the database with what the run folders tell, row by row")
      .flag("replace", "although there is a database in order; it is kept beside the new one");
  if (!line.parse(args, 0, 0)) return 0;
  const fs::path root = line.root();
  const store::RootPaths paths{root};
  if (!fs::exists(paths.runs()))
    throw Error(ErrorKind::environment,
                fmt::format("there are no run folders in '{}'; name another root with --root", root.string()));
  const coordinate::CoordinatorLock lock(root);
  const bool check = line.has("check"), there = fs::exists(paths.database());
  if (!check && !line.has("replace") && there && in_order(paths.database()))
    throw Error(ErrorKind::refused,
                fmt::format("'{}' is there and in order; --check compares it with the run folders, --replace puts it "
                            "aside and makes it again",
                            paths.database().string()));
  store::Rebuild rebuild(root, root / ".rebuild");
  rebuild.replay();
  rebuild.read_events();
  const coordinate::OrphanRuns lone = coordinate::adopt_orphan_runs(paths, rebuild);
  const store::Rebuilt& result = rebuild.result();
  tell_problems(result, lone);
  if (check) return compare(root, rebuild);
  for (const fs::path& kept : rebuild.take_over()) print_error(fmt::format("kept: {}", kept.string()));
  print(fmt::format(
      "{}: {}, {}, {}\n", paths.database().string(),
      counted(store::Store(root, store::StoreMode::read_only).run_count(), "run"),
      counted(result.attempts, "attempt"), counted(result.events, "event")));
  return result.problems.empty() ? 0 : static_cast<int>(ErrorKind::failed);
}

}  // namespace

const Verb kRebuildVerb{"rebuild", "Make the database again from the run folders, or check that they tell it all",
                        "[--check | --replace]", "bitsweep rebuild --check", do_rebuild};

}  // namespace bitsweep::cli
