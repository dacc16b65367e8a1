// What each variant's training step (forward, loss, backward; truebit's flips too) is worth against a straightforward
// composition of the same maths from LibTorch's operations and its autograd, as the seeds' scripts write it; medians of
// interleaved rounds. Must: >= 1.0 for each, and >= 2.0 for v57 and v76 at d 1024, T 256.
//
// usage: bench_variants [ROUNDS [PLUGIN]]    with the plugins of its own build
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "nn/alibi.h"
#include "steps.h"

namespace bitsweep {
namespace {

struct PlainShape {
  int64_t d, layers, heads, d_ff;
};

enum class PlainLinear { plain, strict, bits, alpha, ternary, binary };
enum class PlainAttention { softmax, gumbel, rwsp };

struct Variant {
  const char* plugin;
  PlainLinear linear;
  PlainAttention attention;
  bool signed_inner = false;  // q, k, v, gate and up give signs
  bool shifted = false;       // the first layer's keys
};

constexpr Variant kVariants[] = {{"v57", PlainLinear::strict, PlainAttention::gumbel, true},
                                 {"v47b", PlainLinear::alpha, PlainAttention::gumbel, true},
                                 {"v75", PlainLinear::alpha, PlainAttention::gumbel, true},
                                 {"v76", PlainLinear::alpha, PlainAttention::rwsp, true, true},
                                 {"v52", PlainLinear::alpha, PlainAttention::softmax},
                                 {"bitnet", PlainLinear::binary, PlainAttention::softmax},
                                 {"b158", PlainLinear::ternary, PlainAttention::softmax},
                                 {"llama", PlainLinear::plain, PlainAttention::softmax},
                                 {"truebit", PlainLinear::bits, PlainAttention::gumbel, true}};

constexpr double kTau = 0.45;  // the middle of the schedule
constexpr int64_t kKeys = 4;

at::Tensor sign_of(const at::Tensor& x) { return at::where(x.ge(0), at::ones_like(x), -at::ones_like(x)); }
// The usual trick: the value of `hard`, the gradient of `soft`.
at::Tensor through(const at::Tensor& hard, const at::Tensor& soft) { return soft + (hard - soft).detach(); }
at::Tensor ste(const at::Tensor& x) { return through(sign_of(x), x); }
at::Tensor clipped_ste(const at::Tensor& x) { return through(sign_of(x), x.clamp(-1, 1)); }
at::Tensor normed(const at::Tensor& x) { return x * (x.square().mean(-1, true) + 1e-6).rsqrt(); }

// truebit's default rule (nn/flip_rule.h: bop, factored, 8 bits) on weights that are floats of ±1.
class PlainFlips {
 public:
  explicit PlainFlips(const at::Tensor& weight)
      : weight_(weight),
        counter_(at::zeros_like(weight, at::kChar)),
        rows_(at::zeros({weight.size(0), 1})),
        columns_(at::zeros({1, weight.size(1)})) {}

  void update() {
    const at::NoGradGuard no_grad;
    const at::Tensor g = weight_.grad();
    rows_ = 0.99 * rows_ + 0.01 * g.square().mean(1, true);
    columns_ = 0.99 * columns_ + 0.01 * g.square().mean(0, true);
    const at::Tensor rms = (rows_ * columns_ / rows_.mean().clamp_min(1e-30)).sqrt().clamp_min(1e-15);
    const at::Tensor s = (1 - kGamma) * counter_.to(at::kFloat) * kUnit + kGamma * g / rms;
    const at::Tensor flips = s * weight_ > kThreshold;
    weight_.copy_(at::where(flips, -weight_, weight_));
    const at::Tensor levels = at::where(flips, at::zeros_like(s), s) / kUnit;
    counter_ = (levels + at::rand_like(levels)).floor().clamp(-127, 127).to(at::kChar);
  }

 private:
  static constexpr double kGamma = 0.02, kThreshold = 2.8 * 0.1, kUnit = 3 * kThreshold / 127;
  at::Tensor weight_, counter_, rows_, columns_;
};

class PlainModel {
 public:
  PlainModel(const Variant& variant, const PlainShape& shape, const Batch& batch)
      : variant_(variant), shape_(shape), batch_(batch), bias_(shape.heads, true) {
    const auto& [d, layers, heads, d_ff] = shape;
    embedding_ = weight(batch.vocab, d);
    for (int64_t i = 0; i < layers; ++i)
      layers_.push_back({linear(d, d), linear(d, d), linear(d, d), linear(d, d), linear(d_ff, d), linear(d_ff, d),
                         linear(d, d_ff), vector(d, 1), vector(d, 1)});
    norm_ = vector(d, 1);
    head_ = weight(batch.vocab, d);
    head_bias_ = vector(batch.vocab, 0);
  }

  void step(const at::Tensor& windows) {
    batch_.loss(forward(batch_.inputs(windows)), windows).backward();
    for (PlainFlips& flips : flips_) flips.update();
    for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
  }

 private:
  struct Linear {
    at::Tensor weight, threshold;
  };
  struct Layer {
    Linear q, k, v, o, gate, up, down;
    at::Tensor attention_norm, ffn_norm;
  };

  bool strict() const { return variant_.linear == PlainLinear::strict || variant_.linear == PlainLinear::bits; }
  bool one_bit() const { return strict() || variant_.linear == PlainLinear::alpha; }
  bool norm_inside() const { return variant_.linear == PlainLinear::ternary || variant_.linear == PlainLinear::binary; }

  at::Tensor weight(int64_t rows, int64_t columns) {
    const at::Tensor fresh = at::empty({rows, columns}).normal_(0, 0.02);
    const bool bits = variant_.linear == PlainLinear::bits;
    parameters_.push_back((bits ? sign_of(fresh) : fresh).set_requires_grad(true));
    if (bits) flips_.emplace_back(parameters_.back());
    return parameters_.back();
  }
  at::Tensor vector(int64_t size, double value) {
    parameters_.push_back(at::full({size}, value).set_requires_grad(true));
    return parameters_.back();
  }
  Linear linear(int64_t d_out, int64_t d_in) {
    return {weight(d_out, d_in), one_bit() ? vector(d_out, 0) : at::Tensor()};
  }

  at::Tensor signs(const at::Tensor& w) const { return variant_.linear == PlainLinear::bits ? w : ste(w); }

  at::Tensor apply(const Linear& l, const at::Tensor& x) const {
    switch (variant_.linear) {
      case PlainLinear::plain:
        return at::linear(x, l.weight);
      case PlainLinear::strict:
      case PlainLinear::bits:  // whose signs are their own
        return at::linear(x, signs(l.weight)) / std::sqrt(static_cast<double>(l.weight.size(1))) - l.threshold;
      case PlainLinear::alpha:
        return at::linear(x, signs(l.weight) * l.weight.abs().mean(1, true)) - l.threshold;
      case PlainLinear::ternary:
      case PlainLinear::binary:
        return quantized(l.weight, x);
    }
    return x;
  }
  at::Tensor quantized(const at::Tensor& w, const at::Tensor& x) const {
    const bool ternary = variant_.linear == PlainLinear::ternary;
    const at::Tensor in = normed(ternary ? x : x - x.mean(-1, true));
    const at::Tensor s = 127.0 / in.abs().amax(-1, true).clamp_min(1e-5);
    const at::Tensor coded = through((in * s).round().clamp(-128, 127) / s, in);
    const at::Tensor beta = w.abs().mean().clamp_min(1e-5);
    const at::Tensor code = ternary ? (w / beta).round().clamp(-1, 1) : sign_of(w - w.mean());
    return at::linear(coded, through(code * beta, w));
  }
  at::Tensor inner(const Linear& l, const at::Tensor& x) const {
    const at::Tensor y = apply(l, x);
    return variant_.signed_inner ? clipped_ste(y) : y;
  }

  at::Tensor weights(const at::Tensor& scores) const {  // [B, H, T, T]
    if (variant_.attention == PlainAttention::softmax) return scores.softmax(-1);
    const at::Tensor noise = -(-(at::rand_like(scores).clamp_min(1e-9).log())).log();
    const at::Tensor z = (scores + noise) / kTau;
    if (variant_.attention == PlainAttention::gumbel) {
      const at::Tensor soft = z.softmax(-1);
      return through(at::zeros_like(soft).scatter_(-1, z.argmax(-1, true), 1.0), soft);
    }
    const auto [best, index] = z.topk(kKeys, -1);
    const at::Tensor rank = at::pow(0.5, at::arange(kKeys, at::kFloat));
    const at::Tensor soft = at::zeros_like(z).scatter(-1, index, best.softmax(-1));
    return through(at::zeros_like(z).scatter(-1, index, (rank / rank.sum()).expand(best.sizes())), soft);
  }
  at::Tensor attention(const Layer& layer, const at::Tensor& x, bool shifted) {
    const auto split = [&](const at::Tensor& y) {
      return y.view({batch_.sequences, batch_.context, shape_.heads, -1}).transpose(1, 2);
    };
    const at::Tensor keys_of = shifted ? x + at::constant_pad_nd(x.narrow(1, 0, batch_.context - 1), {0, 0, 1, 0}) : x;
    const at::Tensor q = split(inner(layer.q, x)), k = split(inner(layer.k, keys_of)), v = split(inner(layer.v, x));
    const double scale = 1 / std::sqrt(static_cast<double>(shape_.d / shape_.heads));
    const at::Tensor scores = at::matmul(q, k.transpose(2, 3)) * scale + bias_.get(batch_.context, at::kFloat);
    return apply(layer.o, at::matmul(weights(scores), v).transpose(1, 2).reshape(x.sizes()));
  }
  at::Tensor ffn(const Layer& layer, const at::Tensor& x) const {
    const at::Tensor gate = inner(layer.gate, x), up = inner(layer.up, x);
    return apply(layer.down, variant_.signed_inner ? gate * up : at::silu(gate) * up);
  }

  at::Tensor forward(const at::Tensor& tokens) {
    at::Tensor x = at::embedding(embedding_, tokens);
    if (one_bit()) x = signs(x);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const bool shifted = variant_.shifted && i == 0;
      if (strict()) {
        x = ste(x + clipped_ste(attention(layer, x, shifted)) + clipped_ste(ffn(layer, x)));
        continue;
      }
      x = x + attention(layer, norm_inside() ? x : normed(x) * layer.attention_norm, shifted);
      x = x + ffn(layer, norm_inside() ? x : normed(x) * layer.ffn_norm);
    }
    if (!strict()) x = normed(x) * norm_;
    if (!one_bit()) return at::linear(x, head_);
    return at::linear(x, signs(head_)) / std::sqrt(static_cast<double>(shape_.d)) + head_bias_;
  }

  Variant variant_;
  PlainShape shape_;
  Batch batch_;
  nn::CausalBias bias_;
  at::Tensor embedding_, norm_, head_, head_bias_;
  std::vector<Layer> layers_;
  std::vector<at::Tensor> parameters_;
  std::vector<PlainFlips> flips_;
};

// True when the variant is at least `must` times as fast as its plain composition.
bool compare(const Variant& variant, const fs::path& plugins, const PlainShape& shape, const Batch& batch, double must,
             int rounds) {
  const json::object options = {
      {"d_model", shape.d}, {"n_layers", shape.layers}, {"n_heads", shape.heads}, {"d_ff", shape.d_ff}};
  Trained ours(variant.plugin, plugins, options, batch);
  PlainModel plain(variant, shape, batch);
  const at::Tensor windows = batch.random_windows();
  const std::vector<double> s = time_steps({[&] { ours.step(windows); }, [&] { plain.step(windows); }}, rounds);
  fmt::print("  {:7} {:8.1f} ms, plain {:8.1f} ms, ratio {:.2f} (must: >= {:.1f})\n", variant.plugin, s[0] * 1e3,
             s[1] * 1e3, s[1] / s[0], must);
  std::fflush(stdout);
  return s[1] >= must * s[0];
}

int run(int argc, char** argv) {
  const fs::path plugins = program_folder().parent_path() / "plugins";
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  const PlainShape small{160, 4, 10, 320}, large{1024, 2, 32, 512};
  const auto wanted = [&](const Variant& variant) { return argc < 3 || std::string(argv[2]) == variant.plugin; };
  bool held = true;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    fmt::print("{} thread(s), d 160 L 4 H 10 d_ff 320, 16 x 128 tokens\n", threads);
    for (const Variant& variant : kVariants)
      if (wanted(variant)) held &= compare(variant, plugins, small, {128, 128, 16}, 1.0, rounds);
    fmt::print("{} thread(s), d 1024 L 2 H 32 d_ff 512, 4 x 256 tokens\n", threads);
    for (const Variant& variant : kVariants) {
      if (!wanted(variant)) continue;
      const bool doubled = variant.plugin == std::string("v57") || variant.plugin == std::string("v76");
      held &= compare(variant, plugins, large, {128, 256, 4}, doubled ? 2.0 : 1.0, (rounds + 2) / 3);
    }
  }
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
