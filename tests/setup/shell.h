// Runs bash scripts against copies of the set-up, with stand-ins for what reaches outside.
#pragma once

#include <filesystem>
#include <string>

namespace bitsweep {

namespace fs = std::filesystem;

struct ShellResult {
  int exit_code = -1;
  std::string out;  // stdout and stderr together
  bool says(const std::string& text) const { return out.find(text) != std::string::npos; }
};

// Runs `script` by bash in `folder`, without input and without any BITSWEEP_ variable.
ShellResult run_bash(const std::string& script, const fs::path& folder);

// A fresh folder for one test, with a space and a quote in its name; removed at the end.
class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const fs::path& path() const { return path_; }
  // Writes an executable bash script.
  void script(const std::string& name, const std::string& body) const;
  // Copies a file of the project to the same place below the sandbox.
  void copy(const std::string& name) const;
  // Runs `script` in the sandbox, with its bin/ first in PATH.
  ShellResult run(const std::string& script) const;
  // Runs `script` after sourcing the sandbox's copy of setup.sh, in strict mode.
  ShellResult with_setup(const std::string& script) const;

 private:
  fs::path path_;
};

}  // namespace bitsweep
