#include "cli/checkpoint_choice.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "coordinate/attempt_files.h"

namespace bitsweep::cli {

std::string checkpoint_kind(const CommandLine& line) {
  const std::string kind = line.get("checkpoint").value_or("");
  if (kind.empty() || kind == "best" || kind == "last") return kind;
  throw Error(ErrorKind::input,
              fmt::format("--checkpoint {}: expected best or last{}", kind, did_you_mean(kind, {"best", "last"})));
}

ChosenCheckpoint choose_checkpoint(store::Store& store, const std::string& prefix, const std::string& kind) {
  ChosenCheckpoint chosen;
  chosen.run = store.run(store.resolve_run(prefix)).value();
  const fs::path folder = store.paths().run(chosen.run.id);
  std::optional<fs::path> file =
      kind.empty() ? coordinate::best_checkpoint(folder) : coordinate::newest_checkpoint(folder, kind);
  if (!file)
    throw Error(ErrorKind::input,
                fmt::format("run {} ({}) has no {}checkpoint in '{}'", chosen.run.id, to_text(chosen.run.state),
                            kind.empty() ? "" : "'" + kind + "' ", folder.string()));
  chosen.file = *file;
  chosen.attempt = coordinate::attempt_of(*file);
  return chosen;
}

}  // namespace bitsweep::cli
