// These tensors are so small that a second thread only waits, and on a busy machine waits long: one, unless a test
// asks.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace bitsweep::nn {
namespace {

class OneThread : public testing::Environment {
 public:
  void SetUp() override { at::set_num_threads(1); }
};

const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new OneThread);

}  // namespace
}  // namespace bitsweep::nn
