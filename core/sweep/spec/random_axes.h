// random: { count, seed, axes: { PATH: { log_uniform: [a, b] | uniform: [a, b] | int_uniform: [a, b] | choice: [...] }
// } }
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/yaml.h"
#include "spec/problems.h"

namespace bitsweep::spec {

struct RandomAxis {
  enum class Law { log_uniform, uniform, int_uniform, choice };
  std::string path;
  YamlPlace place;
  Law law = Law::uniform;
  double least = 0, most = 0;  // both may occur
  std::vector<Yaml> choices;
};

struct RandomPlan {
  int64_t count = 0;
  uint64_t seed = 0;
  std::vector<RandomAxis> axes;
};

// Nothing, and problems, when the block is wrong.
std::optional<RandomPlan> read_random(const YamlNode& node, Problems& problems);

// Value `i` of the axis; `whole` rounds it to an integer.
Yaml random_value(const RandomAxis& axis, uint64_t seed, size_t i, bool whole);

}  // namespace bitsweep::spec
