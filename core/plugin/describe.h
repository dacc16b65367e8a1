// What a plugin says of a model before it exists: the request and the answer of `describe`, as JSON and as structs.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace bitsweep {

struct DescribeRequest {
  json::object options;   // as in the sweep file; may hold "params" (a target size) instead of a shape
  int64_t vocab = 256;    // V
  int64_t context = 256;  // T, tokens
};

struct Description {
  json::object options;           // every option with its value: the shape resolved, defaults filled
  int64_t params = 0;             // weights and thresholds, embedding and head included (models.md's count)
  int64_t params_embedding = 0;   // of those, in the embedding and the head
  int64_t params_extra = 0;       // trained beside them: output bias, logit scale
  double latent_bits_per_weight = 32;
  double stored_bits_per_weight = 32;  // as deployed: 1 for a ±1 weight
  double flops_forward_per_token = 0;  // multiply and add count two; at full context
  int64_t params_nonembedding() const { return params - params_embedding; }
};

json::object to_json(const DescribeRequest& request);
DescribeRequest describe_request_from_json(const json::object& object);
json::object to_json(const Description& description);
Description description_from_json(const json::object& object);

}  // namespace bitsweep
