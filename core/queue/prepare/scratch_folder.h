// A folder for files of a moment.
#pragma once

#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "base/files.h"

namespace bitsweep::prepare {

// ROOT/NAME-PID; gone with the object, and all that is in it.
class ScratchFolder {
 public:
  ScratchFolder(const fs::path& root, const char* name) : path_(root / fmt::format("{}-{}", name, ::getpid())) {
    make_folder(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace bitsweep::prepare
