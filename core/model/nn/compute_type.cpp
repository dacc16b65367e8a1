#include "nn/compute_type.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

namespace bitsweep::nn {

at::ScalarType compute_type(const at::Tensor& x) {
  const at::DeviceType device = x.device().type();
  return at::autocast::is_autocast_enabled(device) ? at::autocast::get_autocast_dtype(device) : x.scalar_type();
}

}  // namespace bitsweep::nn
