// Which code this process has loaded: what a run's start event says really ran, whatever was planned.
#pragma once

#include <string>

#include "base/code_build.h"
#include "base/error.h"
#include "plugin/loader.h"
#include "spec/run_spec.h"

namespace bitsweep::worker {

// Of the library of blocks, which comes with the program; read once. A worker that waits for a run reads it as it
// begins to wait, near the moment at which it was loaded.
const std::string& loaded_nn_fingerprint();

CodeBuild loaded_code(const plugin::Plugin& plugin);

// By the manifest beside its library; 0 when there is none.
int64_t plugin_version(const fs::path& library);

// Throws Error{input} when the plugin has another version now than the run was planned for: the run's id says the
// other one.
void check_version(const plugin::Plugin& plugin, const spec::ModelSpec& planned);

}  // namespace bitsweep::worker
