// The conformance suite as `bitsweep` sees it: one worker a plugin, its verdicts read back, and another one for the
// checks that are left where the plugin ended the process.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace bitsweep::prepare {

struct CheckRequest {
  std::string plugin;             // by name, or the absolute path of a .so
  json::object options;           // of every model that is tried
  std::vector<std::string> only;  // names of checks; empty: all
};

struct PluginVerdict {
  std::string check;
  bool passed = false;
  std::string decided;
};

class PluginChecker {
 public:
  // `plugins`: where plugins are looked for by name.
  PluginChecker(fs::path worker, fs::path plugins) : worker_(std::move(worker)), plugins_(std::move(plugins)) {}

  // One verdict a check, in the suite's order. A plugin that cannot be loaded gets one, of the check "load"; one that
  // ends the process in a check fails that. Throws Error{environment} when the worker cannot run, Error{input} for a
  // check that does not exist.
  std::vector<PluginVerdict> check(const CheckRequest& request);

 private:
  // Names of all checks.
  const std::vector<std::string>& suite();

  fs::path worker_, plugins_;
  std::vector<std::string> suite_;
};

}  // namespace bitsweep::prepare
