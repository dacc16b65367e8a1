#include "engine/head_part.h"

#include <algorithm>

#include "engine/workers.h"

namespace bitsweep::engine {
namespace {

// Of a part's logits: below it a second part would cost more than it saves.
constexpr int64_t kPartBytes = 32 << 20;
// Of the loss of a logit, in steps of workers.h.
constexpr int64_t kLossWork = 4;

}  // namespace

int64_t logit_part_rows(const EnginePlan& plan, int64_t rows) {
  const int64_t most = std::max<int64_t>(1, kPartBytes / (plan.vocab * static_cast<int64_t>(sizeof(float))));
  return std::min(rows, kernels::rounded_up(most, kernels::kWordBits));
}

HeadPart::HeadPart(const EnginePlan& plan, const Workers& workers, Meter* meter)
    : plan_(plan),
      workers_(workers),
      meter_(meter),
      no_bias_(plan.float_ends ? plan.vocab : 0),
      spare_bias_(plan.float_ends ? 0 : plan.vocab) {
  if (!plan.float_ends) codebook_ = BitWeight(plan.vocab, plan.d_model);
}

kernels::LogitRow HeadPart::logit_row(const StepTensors& tensors) const {
  if (plan_.float_ends) return {.bias = no_bias_.data(), .scale = 1, .vocab = plan_.vocab};
  return {.bias = tensors.bias.values, .scale = *tensors.logit_scale.values, .vocab = plan_.vocab};
}

void HeadPart::pack(const StepTensors& tensors, bool trains) {
  if (!plan_.float_ends) codebook_.pack(tensors.codebook.values, /*transposes=*/trains, workers_);
}

void HeadPart::reserve(int64_t rows) {
  part_rows_ = logit_part_rows(plan_, rows);
  logits_ = kernels::Buffer<float>(part_rows_ * plan_.vocab);
  row_sums_ = kernels::Buffer<double>(2 * part_rows_);
}

int64_t HeadPart::bytes() const {
  const int64_t packed = plan_.float_ends ? 0 : BitWeight::bytes(plan_.vocab, plan_.d_model);
  return packed + logits_.bytes() + row_sums_.bytes() + no_bias_.bytes() + spare_bias_.bytes();
}

void HeadPart::for_each_part(const StepPass& pass, Dots dots, OfPart f) const {
  for (int64_t first = 0; first < pass.rows(); first += part_rows_) {
    const int64_t rows = std::min(part_rows_, pass.rows() - first);
    dots(first, rows, logits_.data());
    f(first, rows);
  }
}

void HeadPart::score(const StepTensors& tensors, const StepPass& pass, Dots dots, float* nats,
                     int64_t* likeliest) const {
  const kernels::LogitRow row = logit_row(tensors);
  for_each_part(pass, dots, [&](int64_t first, int64_t rows) {
    const Metered metered(meter_, "loss", false, Work::floats);
    in_ranges(workers_, rows, 1, rows * plan_.vocab * kLossWork, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t target = pass.targets[first + r];
        const double loss =
            kernels::nats_of_row(row, logits_.at(r * plan_.vocab), std::max<int64_t>(target, 0), likeliest[first + r]);
        nats[first + r] = target < 0 ? 0.0f : static_cast<float>(loss);
      }
    });
  });
}

// In place of a part's dots the gradient of its logits; and each row's nats and share of the scale's gradient.
void HeadPart::part_loss(const StepTensors& tensors, const StepPass& pass, int64_t first, int64_t rows,
                         float weight) const {
  const kernels::LogitRow row = logit_row(tensors);
  double *nats = row_sums_.data(), *along = nats + part_rows_;
  in_ranges(workers_, rows, 1, rows * plan_.vocab * kLossWork, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t target = pass.targets[first + r];
      float* dots = logits_.at(r * plan_.vocab);
      nats[r] = along[r] = 0;
      if (target >= 0) {
        nats[r] = kernels::cross_entropy_row(row, dots, target, weight, along[r]);
      } else {
        std::fill_n(dots, plan_.vocab, 0.0f);
      }
    }
  });
}

double HeadPart::train(const StepTensors& tensors, const StepPass& pass, float weight, Dots dots,
                       Backward backward) const {
  const int64_t vocab = plan_.vocab;
  float* bias = tensors.bias.gradient != nullptr ? tensors.bias.gradient : spare_bias_.data();
  const float scale = logit_row(tensors).scale;
  double nats = 0, scale_gradient = 0;
  for_each_part(pass, dots, [&](int64_t first, int64_t rows) {
    const bool add = tensors.add || first > 0;
    {
      const Metered metered(meter_, "loss", true, Work::floats);
      part_loss(tensors, pass, first, rows, weight);
      const double *losses = row_sums_.data(), *along = losses + part_rows_;
      for (int64_t r = 0; r < rows; ++r) nats += losses[r];
      for (int64_t r = 0; r < rows; ++r) scale_gradient += along[r];
      if (!plan_.float_ends) {
        in_ranges(workers_, vocab, kLineFloats, rows * vocab, [&](int64_t begin, int64_t end) {
          kernels::sum_and_scale_columns(logits_.data(), rows, vocab, scale, add, bias, begin, end);
        });
      }
    }
    backward(first, rows, logits_.data(), add);
  });
  if (tensors.logit_scale.gradient != nullptr) {
    float& gradient = *tensors.logit_scale.gradient;
    gradient = (tensors.add ? gradient : 0.0f) + static_cast<float>(scale_gradient);
  }
  return nats;
}

}  // namespace bitsweep::engine
