#include "nn/twisted_draws.h"

#include <algorithm>

namespace bitsweep::nn {
namespace {

// LibTorch counts what is left of its words, and one more.
constexpr int64_t kUsedAndLeft = kernels::Twister::kWords + 1;

}  // namespace

TwistedDraws::TwistedDraws(const at::Generator& generator)
    : generator_(generator.defined() ? generator : at::detail::getDefaultCPUGenerator()),
      lock_(generator_.mutex()),
      impl_(generator_.get<at::CPUGeneratorImpl>()) {}

kernels::Twister TwistedDraws::begin() const {
  const at::mt19937_data_pod data = impl_->engine().data();
  kernels::Twister twister;
  static_assert(std::tuple_size_v<decltype(data.state_)> == kernels::Twister::kWords);
  std::copy(data.state_.begin(), data.state_.end(), twister.words);
  twister.used = kUsedAndLeft - data.left_;
  return twister;
}

void TwistedDraws::end(const kernels::Twister& behind) {
  at::mt19937 engine = impl_->engine();
  at::mt19937_data_pod data = engine.data();
  std::copy_n(behind.words, kernels::Twister::kWords, data.state_.begin());
  data.left_ = static_cast<int>(kUsedAndLeft - behind.used);
  data.next_ = static_cast<uint32_t>(behind.used);
  engine.set_data(data);
  impl_->set_engine(engine);
}

}  // namespace bitsweep::nn
