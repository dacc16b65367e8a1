// What cached keys and values are worth where text is generated: seconds for the tokens after a prompt, one at a time
// with the cache, against reading all tokens again for each (must: >= 5 times as fast at 256 tokens of context, for
// llama), on one thread.
//
// usage: bench_decode [ROUNDS]      with the plugins of its own build
#include <algorithm>
#include <cstdlib>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "steps.h"

namespace bitsweep {
namespace {

constexpr int64_t kVocab = 256, kPrompt = 64, kContext = 256;
const json::object kShape = {{"d_model", 256}, {"n_layers", 4}, {"n_heads", 8}, {"d_ff", 512}};

// How many times as fast.
double compare(const std::string& name, const fs::path& plugins, int rounds) {
  const at::NoGradGuard no_grad;
  const plugin::Plugin plugin = plugin::load_plugin(name, plugins, BITSWEEP_BUILD_ID);
  plugin::DescribeRequest request{.options = kShape, .vocab = kVocab, .context = kContext};
  request.options = plugin.describe(request).options;
  const plugin::OwnedModel model = plugin.create(request);
  const at::Tensor tokens = at::empty({1, kContext}, at::kLong).random_(0, kVocab);
  const Step cached = [&] {
    nn::DecodeCache cache;
    model->decode(tokens.narrow(1, 0, kPrompt), {}, cache, 1);
    for (int64_t t = kPrompt; t < kContext; ++t) model->decode(tokens.narrow(1, t, 1), {}, cache, 1);
  };
  const Step again = [&] {
    for (int64_t t = kPrompt; t <= kContext; ++t) model->forward(tokens.narrow(1, 0, t).contiguous(), {});
  };
  const std::vector<double> s = time_steps({cached, again}, rounds);
  const auto count = static_cast<double>(kContext - kPrompt);
  fmt::print("{} d 256 L 4, {} tokens after {}: {:.2f} ms a token with the cache, {:.2f} ms without, ratio {:.1f}\n",
             name, kContext - kPrompt, kPrompt, 1e3 * s[0] / count, 1e3 * s[1] / count, s[1] / s[0]);
  return s[1] / s[0];
}

int run(int argc, char** argv) {
  const fs::path plugins = program_folder().parent_path() / "plugins";
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 3;
  at::set_num_threads(1);
  const bool held = compare("llama", plugins, rounds) >= 5;
  for (const char* name : {"b158", "v57", "v76"}) compare(name, plugins, rounds);
  return held ? 0 : 1;
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  try {
    return bitsweep::run(argc, argv);
  } catch (const bitsweep::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code();
  }
}
