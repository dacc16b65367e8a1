#include "engine/norm_part.h"

#include "kernels/alpha_ends.h"
#include "kernels/cpu_kernels.h"

namespace bitsweep::engine {

void NormPart::reserve(int64_t rows, bool trains) {
  inverse_ = kernels::Buffer<float>(rows);
  gain_sums_ = kernels::Buffer<float>(trains ? plan_.d_model : 0);
}

void NormPart::forward(const StepPass& pass, bool backward, const float* x, const TrainedFloats& gain,
                       float* out) const {
  const Metered metered(meter_, "norm", backward, Work::floats);
  const int64_t d = plan_.d_model;
  in_ranges(workers_, pass.rows(), 1, 2 * pass.rows() * d, [&](int64_t first, int64_t last) {
    kernels::rms_norm_rows(x + first * d, gain.values, out + first * d, inverse_.at(first), last - first, d,
                           plan_.norm_epsilon);
  });
}

void NormPart::backward(const StepTensors& tensors, const StepPass& pass, const float* x, const TrainedFloats& gain,
                        float* gradient, float* to, bool add) const {
  const Metered metered(meter_, "norm", true, Work::floats);
  const int64_t d = plan_.d_model, rows = pass.rows();
  const float* inverse = inverse_.data();
  if (gain.gradient != nullptr) {
    in_ranges(workers_, d, kLineFloats, 2 * rows * d, [&](int64_t first, int64_t last) {
      float* sums = tensors.add ? gain_sums_.data() : gain.gradient;
      kernels::rms_norm_backward_gamma(x, inverse, gradient, sums, rows, d, first, last);
      if (tensors.add) kernels::add_floats(sums + first, gain.gradient + first, last - first);
    });
  }
  in_ranges(workers_, rows, 1, 3 * rows * d, [&](int64_t first, int64_t last) {
    const int64_t at = first * d, count = (last - first) * d;
    float* into = add ? gradient + at : to + at;
    kernels::rms_norm_backward_rows(x + at, gain.values, inverse + first, gradient + at, into, last - first, d);
    if (add) kernels::add_floats(into, to + at, count);
  });
}

}  // namespace bitsweep::engine
