#include "conformance/trial.h"

#include <numbers>

#include <ATen/ATen.h>

#include "train/evaluate.h"

namespace bitsweep::conformance {
namespace {

spec::RunSpec spec_of(const TrialPlan& plan) {
  spec::RunSpec spec;
  spec.seed = plan.seed;
  spec.data.context = kCheckContext;
  spec.train.steps = plan.steps;
  spec.train.batch = plan.batch;
  spec.train.warmup = plan.warmup;
  spec.train.lr = plan.lr;
  spec.train.weight_decay = plan.weight_decay;
  return spec;
}

}  // namespace

Trial::Trial(const Workbench& bench, const TrialPlan& plan, int64_t weights_seed)
    : dataset_(bench.dataset()),
      spec_(spec_of(plan)),
      model_(bench.build(bench.request(plan.shape), weights_seed)),
      optimizer_(train::make_optimizer(spec_.train, model_->parameters())),
      stepper_(spec_, dataset_, *model_, *optimizer_, losses_, c10::Device(c10::kCPU)) {}

double Trial::step() {
  losses_.begin_interval();
  stepper_.run(done_++);
  return losses_.mean_nats();
}

double Trial::validation_bpc() {
  const at::NoGradGuard no_grad;
  const data::ValidationWindows windows = dataset_.validation(kTrialWindows);
  const at::Tensor buffer = train::window_buffer(windows.count(), kCheckContext, at::kCPU, windows.width());
  windows.fill(0, windows.count(), train::tokens_of(buffer));
  const train::TokenBatch batch = train::to_device(buffer, at::kCPU);
  const at::Tensor nats = token_nats(*model_, batch, nn::StepContext(), train::Precision::f32, /*mean=*/true);
  return nats.item<double>() / std::numbers::ln2;  // a token is a byte
}

}  // namespace bitsweep::conformance
