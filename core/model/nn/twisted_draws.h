// What LibTorch's uniform_ would draw of a generator on the CPU, for kernels to draw (kernels/twister.h).
#pragma once

#include <mutex>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>

#include "kernels/twister.h"

namespace bitsweep::nn {

// Holds the generator while it lives; one that is not defined is LibTorch's own. It must be on the CPU.
class TwistedDraws {
 public:
  explicit TwistedDraws(const at::Generator& generator);

  kernels::Twister begin() const;            // stands at the generator's next number
  void end(const kernels::Twister& behind);  // the generator goes on where this one stands

 private:
  at::Generator generator_;
  std::lock_guard<std::mutex> lock_;
  at::CPUGeneratorImpl* impl_;
};

}  // namespace bitsweep::nn
