// The value of eval.also: texts beside a run's own, by name.
#pragma once

#include <vector>

#include "base/yaml.h"
#include "spec/problems.h"
#include "spec/run_spec.h"

namespace bitsweep::spec {

// { NAME: { corpus: …, glob, field, val, val_fraction } }. Paths are taken from the folder of the file they stand in.
// What is wrong is added to the problems, each at its place; such a text is left out.
std::vector<AlsoSpec> read_also(const YamlNode& node, Problems& problems);

// By name, and back; throws Error{input} on anything else.
json::object to_json(const std::vector<AlsoSpec>& texts);
std::vector<AlsoSpec> also_from(const json::object& object);

}  // namespace bitsweep::spec
