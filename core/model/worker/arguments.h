// The command line of `bitsweep-worker`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace bitsweep::worker {

// What every verb that builds a run's model is told.
struct RunArguments {
  fs::path spec;  // spec.json
  std::string device = "cpu";
  int64_t threads = 1;
  fs::path cache;  // ROOT/data
  fs::path plugin_dir;
};

struct TrainArguments : RunArguments {
  fs::path out;     // the attempt's folder
  std::string run;  // id
  int64_t attempt = 1;
  std::vector<fs::path> resume;  // newest first
  fs::path init;                 // empty: none
};

struct DescribeArguments {
  std::vector<std::string> plugins;  // what requests may name; empty: any
  fs::path plugin_dir;
};

struct ProbeArguments : RunArguments {
  fs::path checkpoint;  // of this run
  fs::path out;         // where the sidecar goes
  std::string run;      // id
  int64_t windows = 64;
  std::string text, field;  // in place of the run's own: data.corpus and data.field of a sweep; "": its own
};

struct AskArguments : RunArguments {
  fs::path checkpoint;  // of this run
  fs::path out;         // where the answers go
  fs::path tasks;       // a JSON list, as in spec.json
  std::string run;      // id
};

struct ImportArguments : RunArguments {
  fs::path from;    // a folder with config.json and weights
  fs::path out;     // the checkpoint
  std::string run;  // id
};

struct ProfileArguments : RunArguments {
  int64_t steps = 10, warmup = 3;
  bool reference = false;  // every block composed of LibTorch's operations
};

struct CheckArguments {
  std::string plugin;  // name, or the absolute path of a .so
  fs::path plugin_dir;
  json::object options;           // in place of the suite's own choice
  std::vector<std::string> only;  // names of checks; empty: all
  bool list = false;              // tell the checks' names instead
};

// `args` are what follows the verb. Nothing when --help was asked for and printed. Throws Error{input} on an unknown
// option (with the nearest), a missing or repeated one, or a number out of range.
std::optional<TrainArguments> parse_train_arguments(const std::vector<std::string>& args);
std::optional<DescribeArguments> parse_describe_arguments(const std::vector<std::string>& args);
std::optional<ProbeArguments> parse_probe_arguments(const std::vector<std::string>& args);
std::optional<AskArguments> parse_ask_arguments(const std::vector<std::string>& args);
std::optional<ImportArguments> parse_import_arguments(const std::vector<std::string>& args);
std::optional<ProfileArguments> parse_profile_arguments(const std::vector<std::string>& args);
// --options must be a JSON object.
std::optional<CheckArguments> parse_check_arguments(const std::vector<std::string>& args);

}  // namespace bitsweep::worker
