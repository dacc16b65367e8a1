#include "nn/decoder_model.h"

#include <ATen/ATen.h>

namespace bitsweep::nn {

at::Tensor DecoderModel::decode(const at::Tensor& tokens, const StepContext& context, DecodeCache& cache,
                                int64_t wanted) {
  const at::NoGradGuard no_grad;
  if (!cache.layers.empty()) require_rows(tokens, cache.layers.front().keys);
  const at::Tensor hidden = read(tokens, decoding(context), &cache);
  cache.length += tokens.size(1);
  return head(hidden.narrow(1, tokens.size(1) - wanted, wanted));
}

}  // namespace bitsweep::nn
