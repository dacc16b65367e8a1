// plugin.yaml: what a plugin is and which options it takes, read without loading it.
//
//   name: v57
//   version: 1
//   summary: strict ±1 …            # one line, for `bitsweep plugins`
//   source: SCALING_REPORT.md …     # paper or document
//   options:
//     d_model: { type: int, min: 8, max: 65536, help: width of the residual }   # no default: from params, or required
//     alibi:   { type: bool, default: true, help: … }
//     tau_start: { type: float, min: 1e-3, max: 100, default: 2.0, help: … }
//     attention: { type: choice, choices: [gumbel, topk], default: gumbel, help: … }
//     kshift_layers: { type: int_list, min: 0, default: [], help: … }
//     init:    { type: choice, choices: [fan_in, fixed], default: fan_in, absent: fixed, help: … }   # came later
//   presets: [1M, 5.5M, 14M, 46M]   # sizes that are known to be good; any size is allowed
//
// An option that came after runs were made has `absent`: the value that a model without it has, as those runs' specs
// are. A sweep that does not name it takes `default`; at `absent` it is not recorded, so older runs keep their ids.
//
// Every plugin also takes `params`, a target size in place of a shape; those of nn/family.h take `body`, which is the
// same without embedding and head.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"

namespace bitsweep::plugin {

struct OptionSpec {
  std::string name;
  std::string type;  // int | float | bool | choice | string | int_list
  std::optional<double> min, max;
  std::vector<std::string> choices;
  std::optional<json::value> default_value;
  std::optional<json::value> absent;  // only beside a default
  std::string help;
};

struct Manifest {
  std::string name;
  int64_t version = 1;
  std::string summary, source;
  std::vector<OptionSpec> options;
  std::vector<std::string> presets;
  fs::path library;  // NAME.so beside the manifest

  const OptionSpec* find(std::string_view option) const;
  // The defaults of options that have an `absent`: what a sweep that does not name them takes.
  json::object later_defaults() const;
};

// Throws Error{input} with every mistake of the file.
Manifest read_manifest(const fs::path& plugin_yaml);

// The plugins below `folder` (folder/*/plugin.yaml), by name. A broken manifest is put into `problems`, not thrown.
std::vector<Manifest> find_plugins(const fs::path& folder, std::vector<std::string>* problems = nullptr);

// "" when `value` fits the option, else what is expected: "an integer from 8 to 65536".
std::string option_problem(const OptionSpec& option, const json::value& value);

}  // namespace bitsweep::plugin
