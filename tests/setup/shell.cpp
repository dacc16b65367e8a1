#include "setup/shell.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <stdexcept>

#include "base/files.h"

namespace bitsweep {

ShellResult run_bash(const std::string& script, const fs::path& folder) {
  std::string file = (fs::path(testing::TempDir()) / "script.XXXXXX").string();
  Fd fd(mkstemp(file.data()));
  write_all(fd.get(), "cd \"" + folder.string() + "\" && unset ${!BITSWEEP_*} || exit 99\n" + script, file);
  fd.reset();
  FILE* pipe = popen(("exec bash '" + file + "' </dev/null 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  ShellResult result;
  std::array<char, 4096> buffer;
  while (fgets(buffer.data(), buffer.size(), pipe) != nullptr) result.out += buffer.data();
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  fs::remove(file);
  return result;
}

Sandbox::Sandbox() {
  std::string name = (fs::path(testing::TempDir()) / "set up's.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
  for (const char* file : {"third_party/setup.sh", "third_party/get-libtorch", "third_party/libtorch-cpu.txt",
                           "third_party/get-parquet", "third_party/parquet-wheel.txt"})
    copy(file);
  fs::create_directories(path_ / "bin");
}

Sandbox::~Sandbox() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Sandbox::script(const std::string& name, const std::string& body) const {
  const fs::path file = path_ / name;
  fs::create_directories(file.parent_path());
  write_file_atomic(file, "#!/usr/bin/env bash\n" + body);
  fs::permissions(file, fs::perms::owner_all);
}

void Sandbox::copy(const std::string& name) const {
  fs::create_directories((path_ / name).parent_path());
  fs::copy_file(fs::path(BITSWEEP_SOURCE_DIR) / name, path_ / name);
}

ShellResult Sandbox::run(const std::string& script) const {
  return run_bash("PATH=\"$PWD/bin:$PATH\"\n" + script, path_);
}

ShellResult Sandbox::with_setup(const std::string& script) const {
  return run("set -euo pipefail\n. third_party/setup.sh\n" + script);
}

}  // namespace bitsweep
