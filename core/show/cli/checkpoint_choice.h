// Which checkpoint of which run a verb is about.
#pragma once

#include <string>

#include "cli/options.h"
#include "store/store.h"

namespace bitsweep::cli {

// --checkpoint: best, last, or "" where it is not given. Throws Error{input} for another word.
std::string checkpoint_kind(const CommandLine& line);

struct ChosenCheckpoint {
  store::RunRecord run;
  fs::path file;
  int64_t attempt = 0;
  fs::path attempt_folder() const { return file.parent_path().parent_path(); }
};

// `kind` is best, last, or "" for the one of the two that there is, best first. Throws Error{input} for no such run or
// checkpoint.
ChosenCheckpoint choose_checkpoint(store::Store& store, const std::string& prefix, const std::string& kind);

}  // namespace bitsweep::cli
