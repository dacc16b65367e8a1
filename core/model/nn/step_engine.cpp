#include "nn/step_engine.h"

#include "nn/kernel_for.h"
#include "nn/scores.h"

namespace bitsweep::nn {

uint64_t rounding_key(const StepContext& context) {
  if (!context.noise.defined()) return static_cast<uint64_t>(context.step);
  at::Generator same = context.noise.clone();
  return ~draw_noise_key(same);  // the attentions' noise is a function of the key itself
}

std::string no_engine_on(c10::Device device) {
  if (!device.is_cpu()) return "device " + device.str();
  const bool composed = &kernel_table() != &kernels::built_in_kernels();
  return composed ? "blocks composed of LibTorch's operations were asked for" : "";
}

StepEngine* engine_for(Model& model, const at::Tensor& inputs, const StepContext& context) {
  if (context.observer != nullptr || !no_engine_on(inputs.device()).empty()) return nullptr;
  StepEngine* engine = model.engine();
  const bool rounding = context.gradients != Gradients::f32;
  return engine != nullptr && rounding && !engine->rounds() ? nullptr : engine;
}

}  // namespace bitsweep::nn
