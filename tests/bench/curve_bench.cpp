// Whether engines learn what blocks learn. At every tenth step of a training by the engine, the gradients of both at
// the same parameters: apart by rounding alone, about 1e-6 of their norm (8-bit activations: 1e-3). And every variant
// trained by both on real text from the same seeds, with the same windows and noise, and scored on text that neither
// has seen: as a step's rounding grows as any difference does in training, within what another seed changes.
//
// usage: bench_curves TEXT [STEPS [SEEDS [PLUGIN]]]
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "engine_steps.h"

namespace bitsweep {
namespace {

constexpr const char* kShape = R"({"d_model": 64, "n_layers": 2, "n_heads": 4, "d_ff": 96})";
constexpr Batch kBatch{.vocab = 256, .context = 128, .sequences = 8};
constexpr int64_t kScored = 32, kEvery = 8;  // windows, and one of so many stretches is kept for scoring
constexpr double kRate = 4e-3;

at::Tensor bytes_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const int64_t stretch = kBatch.context + 1, stretches = static_cast<int64_t>(text.size()) / stretch;
  if (stretches < kEvery * kScored) {
    fmt::print(stderr, "bench_curves: {}: expected a text of {} bytes or more\n", path, kEvery * kScored * stretch);
    std::exit(2);
  }
  at::Tensor bytes = at::empty({stretches, stretch}, at::kByte);
  std::copy_n(reinterpret_cast<const uint8_t*>(text.data()), bytes.numel(), bytes.mutable_data_ptr<uint8_t>());
  return bytes.to(at::kLong);
}

// The loss after so many steps, bits a byte.
double train_and_score(const char* plugin, const fs::path& plugins, const at::Tensor& text, int64_t steps,
                       uint64_t seed, const kernels::KernelTable& kernels) {
  at::manual_seed(seed);
  OptimizedStep trained(plugin, plugins, parse_json(kShape, "options").as_object(), kBatch, kernels);
  at::Generator draw = at::globalContext().defaultGenerator(at::kCPU).clone();
  draw.set_current_seed(seed);
  for (int64_t i = 0; i < steps; ++i) {
    at::Tensor place = at::empty({kBatch.sequences}, at::kLong).random_(0, text.size(0) - 1, draw);
    place += place.remainder(kEvery).eq(0).to(at::kLong);
    const double progress = static_cast<double>(i) / static_cast<double>(steps);
    trained.step(text.index_select(0, place), kRate * (1 - 0.9 * progress));
  }
  const at::Tensor scored = at::arange(0, kScored, at::kLong) * kEvery;
  return trained.mean_nats(text.index_select(0, scored)) / std::log(2.0);
}

void copy_weights(nn::Model& from, nn::Model& to) {
  const at::NoGradGuard no_grad;
  for (size_t k = 0; k < from.parameters().size(); ++k) to.parameters()[k].tensor.copy_(from.parameters()[k].tensor);
  for (size_t k = 0; k < from.bit_matrices().size(); ++k) to.bit_matrices()[k].bits.copy_(from.bit_matrices()[k].bits);
}

// Σ |a − b|² and Σ |b|² of all gradients, whose quotient's root is how far they are apart.
double apart(const nn::Model& a, const nn::Model& b) {
  double off = 0, norm = 0;
  const auto add = [&](const at::Tensor& of_a, const at::Tensor& of_b) {
    if (!of_a.grad().defined()) return;
    off += (of_a.grad() - of_b.grad()).square().sum().item<double>();
    norm += of_b.grad().square().sum().item<double>();
  };
  for (size_t k = 0; k < a.parameters().size(); ++k) add(a.parameters()[k].tensor, b.parameters()[k].tensor);
  for (size_t k = 0; k < a.bit_matrices().size(); ++k) add(a.bit_matrices()[k].port, b.bit_matrices()[k].port);
  return std::sqrt(off / norm);
}

// The most that gradients are apart along a training.
double most_apart(const char* plugin, const fs::path& plugins, const at::Tensor& text, int64_t steps) {
  const kernels::KernelTable loops = kernels::built_in_kernels();
  const json::object options = parse_json(kShape, "options").as_object();
  OptimizedStep trained(plugin, plugins, options, kBatch, kernels::built_in_kernels());
  Trained blocks(plugin, plugins, options, kBatch, loops);
  double most = 0;
  for (int64_t i = 0; i < steps; ++i) {
    const at::Tensor windows = text.index_select(0, at::empty({kBatch.sequences}, at::kLong).random_(0, text.size(0)));
    if (i % 10 == 0) {
      copy_weights(trained.trained().model(), blocks.model());
      for (Trained* each : {&trained.trained(), &blocks}) {
        at::manual_seed(static_cast<uint64_t>(i));  // of the noise
        each->accumulate(windows);
      }
      most = std::max(most, apart(trained.trained().model(), blocks.model()));
      for (Trained* each : {&trained.trained(), &blocks}) each->drop_gradients();
    }
    trained.step(windows, kRate);
  }
  return most;
}

double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += value;
  return sum / static_cast<double>(x.size());
}
double deviation_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double value : x) sum += (value - mean_of(x)) * (value - mean_of(x));
  return std::sqrt(sum / static_cast<double>(std::max<size_t>(1, x.size() - 1)));
}

void compare(const char* plugin, const fs::path& plugins, const at::Tensor& text, int64_t steps, int64_t seeds) {
  const kernels::KernelTable loops = kernels::built_in_kernels();  // another table: no engine
  std::vector<double> engine, blocks, differences;
  for (int64_t seed = 0; seed < seeds; ++seed) {
    const auto of = static_cast<uint64_t>(seed);
    engine.push_back(train_and_score(plugin, plugins, text, steps, of, kernels::built_in_kernels()));
    blocks.push_back(train_and_score(plugin, plugins, text, steps, of, loops));
    differences.push_back(engine.back() - blocks.back());
  }
  fmt::print(
      "{:8} engine {:.4f}, blocks {:.4f} bits a byte: {:+.4f}, sd of a seed's difference {:.4f}, of seeds {:.4f}; "
      "gradients at most {:.1e} apart\n",
      plugin, mean_of(engine), mean_of(blocks), mean_of(differences), deviation_of(differences), deviation_of(blocks),
      most_apart(plugin, plugins, text, std::min<int64_t>(steps, 200)));
  std::fflush(stdout);
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  using namespace bitsweep;
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_curves TEXT [STEPS [SEEDS [PLUGIN]]]\n");
    return 2;
  }
  const int64_t steps = argc > 2 ? std::atoll(argv[2]) : 600, seeds = argc > 3 ? std::atoll(argv[3]) : 3;
  const std::string_view only = argc > 4 ? argv[4] : "";
  const at::Tensor text = bytes_of(argv[1]);
  at::set_num_threads(1);
  for (const char* plugin : {"v47b", "v52", "v57", "v75", "v76", "truebit", "bitnet", "b158", "llama"})
    if (only.empty() || only == plugin) compare(plugin, program_folder().parent_path() / "plugins", text, steps, seeds);
  return 0;
}
