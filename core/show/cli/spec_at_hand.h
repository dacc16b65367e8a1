// The spec that a checkpoint is opened with now: files may have moved since its attempt wrote it down.
#pragma once

#include <optional>
#include <string>

#include "cli/checkpoint_choice.h"
#include "spec/run_spec.h"

namespace bitsweep::cli {

// Declares --tokenizer, where the run's tokenizer lies now.
void declare_tokenizer_option(CommandLine& line);

// The attempt's spec.json with the paths that the run was last submitted with, and the tokenizer `moved` (the value of
// --tokenizer). Throws Error{input} when that is another tokenizer than the run's (data.tokenizer_sha256) or the run
// names none, and when the run's own is not there and `moved` names no other.
spec::RunSpec spec_at_hand(const ChosenCheckpoint& chosen, const std::optional<std::string>& moved);

// The same as a file of that name in `folder`.
fs::path write_spec_at_hand(const ChosenCheckpoint& chosen, const std::optional<std::string>& moved,
                            const fs::path& folder);

}  // namespace bitsweep::cli
