// What an engine's step (room engine) is worth against the same step of the blocks, which compute with LibTorch's
// products and this program's loops: forward, loss, backward, clipping, AdamW or flips, as the trainer makes them; and
// scoring. Medians of interleaved rounds, CPU time of one thread. With `threads`: what a second thread gives, the
// shortest of rounds by the wall, one and two threads taking turns. Must, v57: >= 1.8 of two threads from 1M parameters
// on; >= 4 at both shapes with AVX-512 and VBMI, >= 3 with AVX2; scoring >= 8 and >= 4; v75 and v76: >= 3 and >= 2.
// Where an engine rounds gradients, with int16 and s6 too, against the blocks with f32: >= 7 of v57 at the last shape.
//
// usage: bench_engine [threads|avx2] [ROUNDS [PLUGIN [SHAPE]]]    SHAPE: from 1. With MALLOC_MMAP_THRESHOLD_=4294967296
// MALLOC_TRIM_THRESHOLD_=17179869184, as workers run. avx2: what products take of kernels that a CPU with more has;
// ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 hold LibTorch to the same.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "engine_steps.h"
#include "kernels/isa.h"

namespace bitsweep {
namespace {

struct EngineShape {
  const char* name;
  const char* options;
  Batch batch;
};
const EngineShape kShapes[] = {
    {"495k, 4 x 128", R"({"d_model": 128, "n_layers": 4, "n_heads": 8, "d_ff": 64})", {256, 128, 4}},
    {"5.5M, 4 x 256", R"({"d_model": 256, "n_layers": 16, "n_heads": 8, "d_ff": 128})", {256, 256, 4}},
    {"d 1024, 2 layers, 16 x 256", R"({"d_model": 1024, "n_layers": 2, "n_heads": 32, "d_ff": 512})", {256, 256, 16}}};

void compare(const std::string& plugin, const fs::path& plugins, const EngineShape& shape, int rounds) {
  const json::object options = parse_json(shape.options, "options").as_object();
  const kernels::KernelTable loops = kernels::built_in_kernels();  // another table: no engine
  OptimizedStep engine(plugin, plugins, options, shape.batch, kernels::built_in_kernels());
  OptimizedStep blocks(plugin, plugins, options, shape.batch, loops);
  const at::Tensor windows = shape.batch.random_windows();
  at::set_num_threads(1);
  std::vector<Step> steps = {[&] { engine.step(windows); }, [&] { blocks.step(windows); },
                             [&] { engine.score(windows); }, [&] { blocks.score(windows); }};
  if (engine.rounds())
    for (const nn::Gradients gradients : {nn::Gradients::int16, nn::Gradients::s6})
      steps.push_back([&, gradients] { engine.step(windows, 1e-3, gradients); });
  const std::vector<double> s = time_steps(steps, rounds);
  fmt::print("{:8} {:27} {:5.2f}M  step {:8.2f} ms, blocks {:8.2f}: {:5.2f}  score {:7.2f} ms, blocks {:7.2f}: {:5.2f}",
             plugin, shape.name, static_cast<double>(engine.description().params) / 1e6, 1e3 * s[0], 1e3 * s[1],
             s[1] / s[0], 1e3 * s[2], 1e3 * s[3], s[3] / s[2]);
  if (s.size() > 4)
    fmt::print("  int16 {:8.2f} ms: {:5.2f}  s6 {:8.2f} ms: {:5.2f}", 1e3 * s[4], s[1] / s[4], 1e3 * s[5], s[1] / s[5]);
  fmt::print("\n");
  std::fflush(stdout);
}

double shortest(const Step& step, int64_t times) {
  double least = std::numeric_limits<double>::infinity();
  for (; times > 0; --times) {
    const auto begin = std::chrono::steady_clock::now();
    step();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return least;
}

void compare_threads(const std::string& plugin, const fs::path& plugins, const EngineShape& shape, int rounds) {
  const json::object options = parse_json(shape.options, "options").as_object();
  OptimizedStep engine(plugin, plugins, options, shape.batch, kernels::built_in_kernels());
  const at::Tensor windows = shape.batch.random_windows();
  // Loss and gradients, all with AdamW, and scoring.
  const Step steps[] = {[&] { engine.gradients(windows); }, [&] { engine.step(windows); },
                        [&] { engine.score(windows); }};
  fmt::print("{:8} {:28} {:5.2f}M ", plugin, shape.name, static_cast<double>(engine.description().params) / 1e6);
  for (const Step& step : steps) {
    double least[2] = {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    for (int round = 0; round < rounds; ++round) {
      for (const int more : {0, 1}) {
        at::set_num_threads(1 + more);
        step();
        least[more] = std::min(least[more], shortest(step, 2));
      }
    }
    fmt::print("  {:8.2f} ms, two threads {:8.2f}: {:4.2f}", 1e3 * least[0], 1e3 * least[1], least[0] / least[1]);
    std::fflush(stdout);
  }
  fmt::print("\n");
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  using namespace bitsweep;
  const bool threads = argc > 1 && std::string_view(argv[1]) == "threads";
  std::optional<kernels::WithIsa> with;
  if (argc > 1 && std::string_view(argv[1]) == "avx2") with.emplace(kernels::Isa::avx2);
  if (threads || with) --argc, ++argv;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  const std::string_view only = argc > 2 ? argv[2] : "";
  const int shape_only = argc > 3 ? std::atoi(argv[3]) : 0;
  fmt::print("{}\n", kernels::isa_name(kernels::current_isa()));
  for (const char* plugin : {"v57", "truebit", "v47b", "v75", "v76", "v52", "b158", "bitnet", "llama"})
    for (const EngineShape& shape : kShapes)
      if ((only.empty() || only == plugin) && (shape_only == 0 || &shape == &kShapes[shape_only - 1]))
        (threads ? compare_threads : compare)(plugin, program_folder().parent_path() / "plugins", shape, rounds);
  return 0;
}
