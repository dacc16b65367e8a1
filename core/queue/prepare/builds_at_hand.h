// Which code would run if a run were started now.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/code_build.h"
#include "base/files.h"

namespace bitsweep::prepare {

// Reads each file once, when it is first asked about.
class BuildsAtHand {
 public:
  // Of the worker and the plugins beside this program.
  BuildsAtHand();
  // `programs`: the folder of the worker; `plugins`: where plugins are looked up by name.
  BuildsAtHand(fs::path programs, fs::path plugins);

  // `plugin`: a name, or the absolute path of a .so. "" for what is not there.
  const CodeBuild& of(const std::string& plugin);

 private:
  fs::path plugins_;
  std::string nn_;
  std::map<std::string, CodeBuild, std::less<>> known_;
};

}  // namespace bitsweep::prepare
