// A model that keeps keys and values as it reads: layers between an embedding and a head, run forward over whole
// windows or, in decoding, over the positions that are new.
#pragma once

#include "nn/model.h"

namespace bitsweep::nn {

class DecoderModel : public Model {
 public:
  at::Tensor trunk(const at::Tensor& tokens, const StepContext& context) final {
    return read(tokens, context, nullptr);
  }
  at::Tensor decode(const at::Tensor& tokens, const StepContext& context, DecodeCache& cache, int64_t wanted) final;
  using Model::decode;

 protected:
  // tokens [B, T] -> what the head reads, [B, T, d]. cache: null, or of the tokens before, to which layer i adds what
  // it keeps of these (cache_of).
  virtual at::Tensor read(const at::Tensor& tokens, const StepContext& context, DecodeCache* cache) = 0;

  static LayerCache* cache_of(DecodeCache* cache, size_t layer) {
    return cache != nullptr ? &cache->layer(layer) : nullptr;
  }
};

}  // namespace bitsweep::nn
