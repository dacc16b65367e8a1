// config.json of a checkpoint that another program saved, as far as it says what is computed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace bitsweep::weights {

// Whose names the tensors have, and what is computed with them (README.md).
enum class ReleaseForm { llama, bitnet, bitnet_1bitllm };

// Of type llama3 (nn/rotary.h).
struct RopeScalingFacts {
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4;
  int64_t positions = 8192;
};

struct ReleasedConfig {
  ReleaseForm form = ReleaseForm::llama;
  int64_t vocab = 1;      // rows of the embedding
  int64_t positions = 1;  // tokens that it was made for (max_position_embeddings)
  int64_t d_model = 1, n_layers = 1, n_heads = 1, n_kv_heads = 1, d_ff = 1;
  bool tied = false;
  double norm_epsilon = 0, rope_theta = 0;
  std::optional<RopeScalingFacts> rope_scaling;
  std::string activation;       // silu | relu2
  bool shape_is_known = false;  // whatever else is wrong

  std::string plugin() const;    // llama | b158
  json::object options() const;  // of that plugin; what is not said here is as it was before there was the option
};

// What is wrong, and what no option of ours says, goes into `wrong`, with `file` for its name; the result is of use
// where nothing did.
ReleasedConfig read_released_config(std::string_view text, const std::string& file, std::vector<Diagnostic>& wrong);

}  // namespace bitsweep::weights
