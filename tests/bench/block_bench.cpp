// What the blocks are worth in a training step (forward, loss, backward), medians of interleaved rounds:
//  - llama against the plain composition of the same shape, with LibTorch's own attention and with matmul and softmax,
//    whichever is faster (must: >= 1.0);
//  - each 1-bit variant on the fused path against the reference path;
//  - tokens a second of each variant at small sizes, for those who size a sweep.
//
// usage: bench_blocks [ROUNDS]      with the plugins of its own build
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "base/error.h"
#include "nn/alibi.h"
#include "steps.h"

namespace bitsweep {
namespace {

const Batch kBatch;

// The same shape from LibTorch's operations alone, as one would write it with torch::nn.
class PlainLlama {
 public:
  PlainLlama(int64_t d, int64_t layers, int64_t heads, int64_t d_ff, bool library_attention)
      : d_(d), heads_(heads), library_attention_(library_attention), bias_(heads, true) {
    embedding_ = weight(kBatch.vocab, d);
    for (int64_t i = 0; i < layers; ++i) {
      layers_.push_back({weight(d, d), weight(d, d), weight(d, d), weight(d, d), weight(d_ff, d), weight(d_ff, d),
                         weight(d, d_ff), gamma(), gamma()});
    }
    norm_ = gamma();
    head_ = weight(kBatch.vocab, d);
  }

  void step(const at::Tensor& windows) {
    at::Tensor x = at::embedding(embedding_, kBatch.inputs(windows));
    for (const Layer& layer : layers_) {
      const at::Tensor a = norm(x, layer.attention_norm);
      x = x + at::linear(attention(at::linear(a, layer.q), at::linear(a, layer.k), at::linear(a, layer.v)), layer.o);
      const at::Tensor f = norm(x, layer.ffn_norm);
      x = x + at::linear(at::silu(at::linear(f, layer.gate)) * at::linear(f, layer.up), layer.down);
    }
    kBatch.loss(at::linear(norm(x, norm_), head_), windows).backward();
    for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
  }

 private:
  struct Layer {
    at::Tensor q, k, v, o, gate, up, down, attention_norm, ffn_norm;
  };

  at::Tensor weight(int64_t rows, int64_t columns) {
    parameters_.push_back(at::empty({rows, columns}).normal_(0, 0.02).set_requires_grad(true));
    return parameters_.back();
  }
  at::Tensor gamma() {
    parameters_.push_back(at::ones({d_}).set_requires_grad(true));
    return parameters_.back();
  }
  static at::Tensor norm(const at::Tensor& x, const at::Tensor& gamma) {
    return x * (x.square().mean(-1, true) + 1e-6).rsqrt() * gamma;
  }
  at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    const auto split = [&](const at::Tensor& x) {
      return x.view({kBatch.sequences, kBatch.context, heads_, d_ / heads_}).transpose(1, 2);
    };
    const at::Tensor bias = bias_.get(kBatch.context, at::kFloat);
    at::Tensor out;
    if (library_attention_) {
      out = at::scaled_dot_product_attention(split(q), split(k), split(v), bias.unsqueeze(0));
    } else {
      const double scale = 1 / std::sqrt(static_cast<double>(d_ / heads_));
      out = at::matmul((at::matmul(split(q), split(k).transpose(2, 3)) * scale + bias).softmax(-1), split(v));
    }
    return out.transpose(1, 2).reshape(q.sizes());
  }

  int64_t d_, heads_;
  bool library_attention_;
  nn::CausalBias bias_;
  at::Tensor embedding_, norm_, head_;
  std::vector<Layer> layers_;
  std::vector<at::Tensor> parameters_;
};

// True when llama is at least as fast as the plain composition.
bool compare_llama(const fs::path& plugins, int64_t d, int64_t layers, int64_t heads, int64_t d_ff, int rounds) {
  Trained ours("llama", plugins, {{"d_model", d}, {"n_layers", layers}, {"n_heads", heads}, {"d_ff", d_ff}}, kBatch);
  PlainLlama library(d, layers, heads, d_ff, true), plain(d, layers, heads, d_ff, false);
  const at::Tensor windows = kBatch.random_windows();
  const std::vector<double> s =
      time_steps({[&] { ours.step(windows); }, [&] { library.step(windows); }, [&] { plain.step(windows); }}, rounds);
  const double ratio = std::min(s[1], s[2]) / s[0];
  fmt::print(
      "llama step d {} L {} H {} d_ff {}: {:.1f} ms; plain: {:.1f} ms (library attention), {:.1f} ms (softmax); "
      "ratio {:.2f} (must: >= 1.0)\n",
      d, layers, heads, d_ff, s[0] * 1e3, s[1] * 1e3, s[2] * 1e3, ratio);
  return ratio >= 1;
}

void compare_paths(const fs::path& plugins, int rounds) {
  const json::object shape = {{"d_model", 160}, {"n_layers", 4}, {"n_heads", 10}, {"d_ff", 320}};
  const at::Tensor windows = kBatch.random_windows();
  for (const char* name : {"v57", "v75", "v76", "v52", "bitnet", "b158"}) {
    Trained fused(name, plugins, shape, kBatch),
        reference(name, plugins, shape, kBatch, kernels::no_kernels());
    const std::vector<double> s = time_steps({[&] { fused.step(windows); }, [&] { reference.step(windows); }}, rounds);
    fmt::print("{} step d 160 L 4 H 10 d_ff 320: fused {:.1f} ms, reference {:.1f} ms, ratio {:.2f}\n", name,
               s[0] * 1e3, s[1] * 1e3, s[1] / s[0]);
  }
}

void small_sizes(const fs::path& plugins, int rounds) {
  const at::Tensor windows = kBatch.random_windows();
  for (const char* name : {"v57", "v75", "v76", "v52", "bitnet", "b158", "llama"}) {
    for (const char* size : {"100k", "300k", "1M"}) {
      Trained model(name, plugins, {{"params", size}}, kBatch);
      const double step_s = time_steps({[&] { model.step(windows); }}, rounds)[0];
      fmt::print("{} {} ({} parameters): {:.0f} tokens/s\n", name, size, model.description().params,
                 static_cast<double>(kBatch.sequences * kBatch.context) / step_s);
    }
  }
}

int run(int argc, char** argv) {
  const fs::path plugins = program_folder().parent_path() / "plugins";
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
  bool held = true;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    fmt::print("{} thread(s), batch {} of {} tokens\n", threads, kBatch.sequences, kBatch.context);
    held &= compare_llama(plugins, 160, 4, 10, 320, rounds);
    held &= compare_llama(plugins, 256, 4, 8, 128, rounds);
    compare_paths(plugins, rounds);
  }
  small_sizes(plugins, rounds);
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
