// A plugin for tests: a small model that trains, and misbehaves where its options say so.
#include <chrono>
#include <limits>
#include <thread>

#include <ATen/ATen.h>

#include "nn/model.h"
#include "plugin/plugin.h"

namespace bitsweep::worker {
namespace {

constexpr int64_t kWidth = 8;
// Another build of the plugin has another value: other code, of which nothing but the code tells.
#if defined(BITSWEEP_TEST_OTHER_CODE)
constexpr double kInitialScale = 0.5;
#else
constexpr double kInitialScale = 0.1;
#endif

class Odd : public nn::Model {
 public:
  Odd(const json::object& options, int64_t vocab)
      : nan_at_(integer_or(options, "nan_at", -1)),
        throw_at_(integer_or(options, "throw_at", -1)),
        crash_at_(integer_or(options, "crash_at", -1)),
        sleep_ms_(integer_or(options, "sleep_ms", 0)),
        bad_logits_(bool_or(options, "bad_logits", false)) {
    embedding_ = add_parameter("embedding.weight", at::randn({vocab, kWidth}).mul_(kInitialScale));
    head_ = add_parameter("head.weight", at::randn({vocab, kWidth}).mul_(kInitialScale));
  }

  at::Tensor forward(const at::Tensor& tokens, const nn::StepContext& context) override {
    at::Tensor x = at::tanh(at::embedding(embedding_, tokens));
    if (context.training) x = x + 0.1 * at::randn(x.sizes(), context.noise, x.options());
    at::Tensor logits = at::linear(x, head_);
    if (!context.training) return logits;
    if (sleep_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(sleep_ms_));
    if (context.step == crash_at_) __builtin_trap();
    if (context.step == throw_at_) at::matmul(logits, at::zeros({3, 3}));  // an error of LibTorch's, with a backtrace
    if (context.step == nan_at_) return logits * std::numeric_limits<double>::quiet_NaN();
    return bad_logits_ ? logits.flatten() : logits;
  }

 private:
  int64_t nan_at_, throw_at_, crash_at_, sleep_ms_;
  bool bad_logits_;
  at::Tensor embedding_, head_;
};

plugin::Description describe(const plugin::DescribeRequest& request) {
  plugin::Description description;
  description.options = request.options;
  description.params = 2 * kWidth * request.vocab + (bool_or(request.options, "lie", false) ? 1 : 0);
  description.params_embedding = description.params;
  description.flops_forward_per_token = 2.0 * kWidth * static_cast<double>(request.vocab);
  if (bool_or(request.options, "refuse", false)) throw Error(ErrorKind::input, "option 'refuse' must not be true");
  return description;
}

std::unique_ptr<nn::Model> create(const json::object& options, int64_t vocab, int64_t) {
  if (bool_or(options, "no_model", false)) return nullptr;
  return std::make_unique<Odd>(options, vocab);
}

}  // namespace
}  // namespace bitsweep::worker

BITSWEEP_PLUGIN("odd", bitsweep::worker::describe, bitsweep::worker::create)
