#include "nn/step_engine.h"

#include "nn/kernel_for.h"

namespace bitsweep::nn {

std::string no_engine_on(c10::Device device) {
  if (!device.is_cpu()) return "device " + device.str();
  const bool composed = &kernel_table() != &kernels::built_in_kernels();
  return composed ? "blocks composed of LibTorch's operations were asked for" : "";
}

StepEngine* engine_for(Model& model, const at::Tensor& inputs, const StepContext& context) {
  if (context.observer != nullptr || !no_engine_on(inputs.device()).empty()) return nullptr;
  return model.engine();
}

}  // namespace bitsweep::nn
