// The keys of a sweep as a whole: its name, where its runs may run, retries, stopping, errors, the report.
#pragma once

#include <string>
#include <vector>

#include "base/yaml.h"
#include "spec/problems.h"
#include "spec/sweep.h"

namespace bitsweep::spec {

// Every key that a sweep file may have at its top.
const std::vector<std::string>& top_keys();

// Fills everything of `sweep` but its runs from the merged file; unknown keys at the top and below these are problems.
void read_options(const YamlNode& root, Sweep& sweep, Problems& problems, const std::vector<std::string>& option_paths);

// For help: "resources.slots  an integer from 1 to 1,024".
std::vector<std::string> option_help();

}  // namespace bitsweep::spec
