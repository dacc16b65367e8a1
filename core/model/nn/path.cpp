#include "nn/path.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

namespace bitsweep {
namespace {

thread_local int forced_path = -1;

}  // namespace

Path choose_path(const at::Tensor& x) {
  const bool served = x.device().is_cpu() && x.scalar_type() == at::kFloat;
  if (!served) return Path::reference;
  return forced_path >= 0 ? static_cast<Path>(forced_path) : Path::fused_cpu;
}

ForcePath::ForcePath(Path path) : before_(forced_path) { forced_path = static_cast<int>(path); }
ForcePath::~ForcePath() { forced_path = before_; }

at::ScalarType compute_type(const at::Tensor& x) {
  const at::DeviceType device = x.device().type();
  return at::autocast::is_autocast_enabled(device) ? at::autocast::get_autocast_dtype(device) : x.scalar_type();
}

}  // namespace bitsweep
