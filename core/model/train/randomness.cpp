#include "train/randomness.h"

#include <mutex>

#include <ATen/ATen.h>

#include "base/rng.h"

namespace bitsweep::train {
namespace {

void reseed(at::Generator& generator, int64_t run_seed, Stream stream, int64_t index) {
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(
      random_bits(static_cast<uint64_t>(run_seed), static_cast<uint64_t>(stream), static_cast<uint64_t>(index)));
}

at::Generator new_generator(c10::Device device) {
  if (device.is_cpu()) return at::detail::createCPUGenerator();
  return at::globalContext().getAcceleratorHooksInterface(device.type()).getNewGenerator(device.index());
}

}  // namespace

void seed_initial_weights(int64_t run_seed) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  reseed(generator, run_seed, Stream::init, 0);
}

NoiseSource::NoiseSource(int64_t run_seed, c10::Device device)
    : run_seed_(run_seed), generator_(new_generator(device)) {}

const at::Generator& NoiseSource::at(int64_t index) {
  reseed(generator_, run_seed_, Stream::noise, index);
  return generator_;
}

}  // namespace bitsweep::train
