// Shapes of decoder models and what they cost, by arithmetic alone: no tensor is built.
//
// The rule for a target size (`params: 5.5M`; `body: 5M` aims at what embedding and head leave), the same for every
// variant, so that equal targets give twins of the same shape. Candidates: d_model a multiple of 32 with heads of 32
// (the seed's; of 16 with heads of 16 below d_model 256), d_ff a multiple of 32 (of 4 below 256) from 3/8 to 2 times
// d_model, n_layers from half to twice the preferred depth max(4, d_model/128). Among the candidates within 0.5 % of
// the target (1 % below 2M) the best-proportioned one wins: least |ln(n_layers/preferred depth)| + |ln(2·d_ff/d_model)|
// (the second term is 0 from 3/8 to 1/2, the seed's own range); ties go to the nearer count, then the wider model. If
// none is so close, the nearest count wins. Dimensions given beside the target are kept.
//
// That is the seed's rule, of d_ff d_model/2 and many layers. Two options move its proportions: `ffn_ratio` is what
// d_ff/d_model should be in place of 1/2 (the range of candidates moves with it), `shape: wide` prefers half the
// layers, max(2, d_model/256).
//
// The seed's rule gives the seed's shapes: 5.5M is d 512 L 4 d_ff 192, 13.7M d 640 L 6 d_ff 320, 46.4M d 1024 L 8 d_ff
// 512.
#pragma once

#include <cstdint>
#include <functional>

#include "nn/options.h"

namespace bitsweep::nn {

struct Shape {
  int64_t d_model = 0;
  int64_t n_layers = 0;
  int64_t n_heads = 0;
  int64_t d_ff = 0;

  int64_t head_size() const { return d_model / n_heads; }
  bool operator==(const Shape&) const = default;
};

// A float as deployed, in a matrix or beside it: nobody ships the 32 bits that training needs.
inline constexpr int kStoredFloatBits = 16;

// What a model of a shape consists of.
struct ModelCount {
  int64_t embedding = 0;               // weights of embedding and head
  int64_t layers = 0;                  // weights, thresholds and norms of everything between
  int64_t extra = 0;                   // trained beside them: output bias, logit scale
  double latent_bits_per_weight = 32;  // in training, the optimizer's moments not counted
  // Mean over the matrices' weights, as deployed; vectors are not counted. Of all of them, and of those between
  // embedding and head alone.
  double stored_bits_per_weight = kStoredFloatBits, stored_bits_body = kStoredFloatBits;

  int64_t vectors = 0;  // of params: thresholds, scales and gains, floats as deployed
  // Of params, what no float stands for: bits, the bytes they take, and those of what their rule keeps and needs for a
  // moment of a step.
  int64_t bits = 0, bits_bytes = 0, rule_bytes = 0, rule_moment_bytes = 0;

  int64_t params() const { return embedding + layers; }
};

// Weights of a layer: q, k, v, o (d·d each), gate, up (d·d_ff each), down (d_ff·d).
int64_t layer_weights(const Shape& shape);
// Outputs of the same seven linears, one threshold each: 4d + 2·d_ff + d.
int64_t layer_thresholds(const Shape& shape);

// {"d_model", "n_layers", "n_heads", "d_ff"}
json::object to_json(const Shape& shape);

// How dimensions are chosen that were not given.
struct ShapeRule {
  double ffn_ratio = 0.5;      // d_ff/d_model
  bool wide = false;           // fewer layers
  int64_t heads_multiple = 1;  // n_heads is a multiple of it: heads that share keys and values
};

using ShapeCount = std::function<int64_t(const Shape&)>;

// Reads `shape` and `ffn_ratio`, then params | body | d_model, n_layers, n_heads (default d_model/32, at least 1, when
// it divides), d_ff (default ffn_ratio·d_model). `shape` and `ffn_ratio` are recorded where they say more than the
// dimensions: given, or used, and not the seed's. `params_of` counts a shape of the family, `body_of` without embedding
// and head (none: a family without `body`). Problems go into the reader; the shape is only valid after its finish().
Shape read_shape(OptionReader& reader, const ShapeCount& params_of, const ShapeCount& body_of = {},
                 int64_t heads_multiple = 1);

// The rule above. `fixed` holds the dimensions that are given (0: free). A Shape of zeros when no candidate fits.
Shape nearest_shape(double target, const Shape& fixed, const ShapeCount& params_of, const ShapeRule& rule = {});

}  // namespace bitsweep::nn
