// Random numbers of a run, each a function of (seed, purpose, index): nothing of a generator needs saving, and a
// resumed run repeats the uninterrupted one.
#pragma once

#include <cstdint>

#include <ATen/core/Generator.h>
#include <c10/core/Device.h>

namespace bitsweep::train {

// Seeds LibTorch's default CPU generator for the initial weights. Models are built on the CPU and then moved, so that
// the weights do not depend on the device.
void seed_initial_weights(int64_t run_seed);

// The noise of training's forward passes.
class NoiseSource {
 public:
  // REQUIRES: a CUDA device was opened (open_device) if it is one.
  NoiseSource(int64_t run_seed, c10::Device device);
  // The generator, at the start of its sequence for micro-batch `index` (step * accumulate + micro) of the run.
  const at::Generator& at(int64_t index);

 private:
  int64_t run_seed_;
  at::Generator generator_;
};

}  // namespace bitsweep::train
