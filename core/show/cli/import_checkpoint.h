// `bitsweep import DIR/`: checkpoints that other programs saved, as finished runs to start from and to ask.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "store/records.h"

namespace bitsweep::cli {

// What became of a run, or with `dry` would: "new", "already there" …
std::string import_state(const store::SubmitResult& result, const std::string& id, bool dry);

// Whether an argument of `import` is a folder with a config.json.
bool is_checkpoint_folder(const std::string& argument);

// Imports every folder into the sweep of `line`'s --sweep, or with --dry-run says what would be, and prints it. Throws
// Error{input} with all that is wrong with a folder, and for an option that is of logs alone; nothing of that folder is
// imported then.
void import_checkpoints(const CommandLine& line, const std::string& sweep, const std::vector<std::string>& folders);

}  // namespace bitsweep::cli
