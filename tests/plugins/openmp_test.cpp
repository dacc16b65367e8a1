// A steady step of a model with an engine keeps to this program's own threads: OpenMP's, which LibTorch's loops run on,
// would stay awake after each of them on the cores that the next part of the step wants.
#include <atomic>

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "plugins/built_plugin.h"

namespace {
std::atomic<int> regions = 0;
}

// LibTorch's calls come here first, as the program's own symbols go before its libraries'.
extern "C" void GOMP_parallel(void (*f)(void*), void* data, unsigned threads, unsigned flags) {
  static const auto real = reinterpret_cast<decltype(&GOMP_parallel)>(::dlsym(RTLD_NEXT, "GOMP_parallel"));
  ++regions;
  real(f, data, threads, flags);
}

namespace bitsweep {
namespace {

class OwnThreads : public testing::TestWithParam<const char*> {};

TEST_P(OwnThreads, AreAllThatASteadyStepTakes) {
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  regions = 0;
  at::empty({1 << 20}).fill_(1);
  if (regions == 0) {
    at::set_num_threads(threads);
    GTEST_SKIP() << "this LibTorch's loops do not run on GNU's OpenMP";
  }
  const plugin::Plugin plugin = built_plugin(GetParam());
  // Matrices and activations of 2¹⁶ numbers, where LibTorch's loops take threads from 2¹⁵ on.
  const plugin::OwnedModel model =
      build(plugin, request_of(R"({"d_model": 256, "n_layers": 1, "n_heads": 4, "d_ff": 256})"));
  TinyTrainer trainer(*model, 10, 1e-3);
  for (int warm = 0; warm < 2; ++warm) trainer.step();
  regions = 0;
  trainer.step();
  EXPECT_EQ(regions, 0);
  at::set_num_threads(threads);
}

INSTANTIATE_TEST_SUITE_P(Plugins, OwnThreads, testing::ValuesIn(kPluginNames),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace bitsweep
