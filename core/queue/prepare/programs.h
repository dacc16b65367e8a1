// Where this program's companions are: beside it (build tree) or as installed.
#pragma once

#include "base/files.h"

namespace bitsweep::prepare {

fs::path worker_program();  // throws Error{environment} when it is missing
fs::path plugin_folder();   // BITSWEEP_PLUGINS, else ../plugins, else ../lib/bitsweep/plugins

}  // namespace bitsweep::prepare
