// Which code a shared object holds, as a short text: what a run's start event records, and what a plan compares with.
//
// SHA-256 over what is loaded when the code runs: machine code, constants, symbols it needs and offers, relocations.
// Not the file as a whole, and not the linker's build id: both change when a build only moves to another folder, is
// installed (its search path is rewritten), stripped, or has a comment edited above a line with debug information, and
// then every finished run would be said to be of other code. What has no sections that can be read is hashed whole.
#pragma once

#include <string>

#include "base/code_build.h"
#include "base/files.h"

namespace bitsweep::plugin {

// 16 hex digits; "" when the file cannot be read.
std::string code_fingerprint(const fs::path& library);

// libbitsweep_nn.so of the build whose programs lie in `programs`: of a build tree or of an installation; "" when it is
// at neither place.
fs::path nn_library(const fs::path& programs);

}  // namespace bitsweep::plugin
