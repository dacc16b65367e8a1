#include "nn/step_engine.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "nn/kernel_for.h"

namespace bitsweep::nn {

Gradients parse_gradients(std::string_view word) {
  if (word == "f32") return Gradients::f32;
  if (word == "int16") return Gradients::int16;
  if (word == "s6") return Gradients::s6;
  throw Error(ErrorKind::input, fmt::format("unknown train.gradients '{}', expected f32, int16 or s6{}", word,
                                            did_you_mean(word, {"f32", "int16", "s6"})));
}

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
