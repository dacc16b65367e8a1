#include "prepare/programs.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep::prepare {

fs::path worker_program() {
  const fs::path path = program_folder() / "bitsweep-worker";
  if (!fs::exists(path))
    throw Error(
        ErrorKind::environment,
        fmt::format("the worker is missing: '{}'; build it with ./quickstart or 'cmake --build build'", path.string()));
  return path;
}

fs::path plugin_folder() {
  const char* variable = std::getenv("BITSWEEP_PLUGINS");
  if (variable != nullptr && *variable != '\0') return fs::absolute(variable);
  const fs::path beside = program_folder().parent_path();
  return fs::exists(beside / "plugins") ? beside / "plugins" : beside / "lib" / "bitsweep" / "plugins";
}

}  // namespace bitsweep::prepare
