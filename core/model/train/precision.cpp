#include "train/precision.h"

#include <ATen/autocast_mode.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::train {

Precision parse_precision(std::string_view word) {
  if (word == "f32") return Precision::f32;
  if (word == "bf16") return Precision::bf16;
  throw Error(ErrorKind::input, fmt::format("unknown precision '{}'{}", word, did_you_mean(word, {"f32", "bf16"})));
}

PrecisionScope::PrecisionScope(at::DeviceType device, Precision precision)
    : device_(device), active_(precision == Precision::bf16) {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  old_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  at::autocast::increment_nesting();
}

PrecisionScope::~PrecisionScope() {
  if (!active_) return;
  // The cache holds bf16 copies of the weights, which the next update makes stale.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, old_type_);
}

}  // namespace bitsweep::train
