#include "engine/linear_part.h"

#include "engine/byte_linears.h"
#include "engine/channel_linears.h"

namespace bitsweep::engine {
namespace {

// y = x · Wᵀ.
class FloatLinears final : public LinearPart {
 public:
  using LinearPart::LinearPart;

  void pack(const StepTensors&, bool) override {}
  void reserve(int64_t, bool) override {}
  int64_t bytes() const override { return 0; }

  void forward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, float* y) override {
    const int64_t inputs = plan_.inputs(at.place), outputs = plan_.outputs(at.place);
    products_.multiply(at.block(), /*backward=*/false,
                       {.a = {x, inputs, 1},
                        .b = {tensors_of(tensors, at).weight.values.latents, inputs, 1},
                        .terms = inputs,
                        .columns = outputs,
                        .c = y,
                        .c_step = outputs},
                       pass.rows());
  }

  void backward(const StepTensors& tensors, const StepPass& pass, LinearAt at, const float* x, const float* dy,
                float* dx, bool add) override {
    const int64_t inputs = plan_.inputs(at.place), outputs = plan_.outputs(at.place);
    const TrainedSigns& weight = tensors_of(tensors, at).weight;
    if (weight.gradient != nullptr)
      products_.weight(products_.gradient(pass, at.layer, at.place, dy, 0, pass.rows()), x, inputs, weight.gradient,
                       tensors.add);
    products_.multiply(at.block(), /*backward=*/true,
                       {.a = {dy, outputs, 1},
                        .b = {weight.values.latents, 1, inputs},
                        .terms = outputs,
                        .columns = inputs,
                        .c = dx,
                        .c_step = inputs,
                        .add = add},
                       pass.rows());
  }
};

}  // namespace

std::unique_ptr<LinearPart> LinearPart::make(const EnginePlan& plan, const Workers& workers, Meter* meter,
                                             GradientProducts& products) {
  switch (plan.weights) {
    case Weights::signs:
      return std::make_unique<ChannelLinears>(plan, workers, meter, products);
    case Weights::ternary:
    case Weights::binary:
      return std::make_unique<ByteLinears>(plan, workers, meter, products);
    case Weights::floats:
      break;
  }
  return std::make_unique<FloatLinears>(plan, workers, meter, products);
}

}  // namespace bitsweep::engine
