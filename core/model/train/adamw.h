// AdamW (Loshchilov, Hutter: Decoupled weight decay regularization, arXiv 1711.05101): on a CPU by this program's own
// loop, which rounds alike on every one and with any number of threads, on CUDA by LibTorch's fused kernel. The seed's
// recipe is the default of TrainSpec: betas 0.9, 0.95, weight decay 0.01.
//
//   m <- b1 m + (1 - b1) g        v <- b2 v + (1 - b2) g^2
//   w <- w - lr (wd w + (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps))
#pragma once

#include <vector>

#include "train/optimizer.h"

namespace bitsweep::train {

class AdamW : public Optimizer {
 public:
  AdamW(const spec::TrainSpec& train, const std::vector<nn::Parameter>& parameters);
  void step(double lr, const at::Tensor& divisor) override;
  // "exp_avg.NAME" and "exp_avg_sq.NAME" for each trained parameter, and "step" (f32 scalar).
  std::vector<NamedTensor> state() override;

 private:
  struct Group {
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, exp_avg, exp_avg_sq;
  };
  // Those of a group that have a gradient.
  struct Moved {
    std::vector<at::Tensor> parameters, gradients, exp_avg, exp_avg_sq;
  };
  static Moved moved(const Group& group);
  void step_group(const Moved& moved, double lr, double weight_decay, const at::Tensor& divisor);
  // Of plain floats in a CPU's memory; updates_ counts this step.
  void step_plain(const Moved& moved, double lr, double weight_decay, const at::Tensor& divisor) const;

  spec::TrainSpec train_;
  int64_t updates_ = -1;       // done, once step_ was read
  at::Tensor step_;            // updates done; f32, as the kernel wants it
  std::vector<Group> groups_;  // with weight decay, without
};

}  // namespace bitsweep::train
