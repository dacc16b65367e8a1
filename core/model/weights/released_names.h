// Our tensors by the names that they have in another program's checkpoint.
#pragma once

#include <string>
#include <vector>

#include "weights/released_config.h"

namespace bitsweep::weights {

struct ReleasedTensor {
  std::string ours, theirs;
  std::vector<int64_t> shape;  // the same in both; a linear's is [d_out, d_in]
};

// All of a model, in the order of its forward pass.
std::vector<ReleasedTensor> released_tensors(const ReleasedConfig& config);

// Whether a tensor of such a file is none of the model's: a table that follows from the config.
bool is_no_weight(std::string_view theirs);

}  // namespace bitsweep::weights
