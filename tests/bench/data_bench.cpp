// Batch production against memcpy of the same number of bytes, in the same run. Must: ≥ 1 GB/s from the page cache.
//
// The corpus is BITSWEEP_BENCH_CORPUS (stories | headers | a path); 64 windows of `context` tokens a batch.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include <unistd.h>

#include <benchmark/benchmark.h>

#include "data/dataset.h"

namespace bitsweep {
namespace {

constexpr int64_t batch = 64;

spec::DataSpec spec_for(const benchmark::State& state) {
  const char* corpus = std::getenv("BITSWEEP_BENCH_CORPUS");
  spec::DataSpec spec;
  spec.corpus = corpus != nullptr ? corpus : "stories";
  spec.tokenizer = state.range(0) == 128 ? "ascii128" : "bytes256";
  spec.context = state.range(1);
  return spec;
}

const std::filesystem::path& cache() {
  static const auto folder =
      std::filesystem::temp_directory_path() / ("bitsweep-data-bench-" + std::to_string(getpid()));
  return folder;
}

void set_bytes(benchmark::State& state, size_t batch_bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * batch_bytes));
}

// The anchor: the same windows' bytes copied from one place of the text after the other.
void memcpy_in_order(benchmark::State& state) {
  const data::Dataset data = data::Dataset::open(spec_for(state), cache());
  std::vector<uint8_t> out(static_cast<size_t>(batch * (data.context() + 1)));
  const std::span<const uint8_t> text = data.train_text();
  size_t at = 0;
  for (auto _ : state) {
    if (at + out.size() > text.size()) at = 0;
    std::memcpy(out.data(), text.data() + at, out.size());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
    at += out.size();
  }
  set_bytes(state, out.size());
}

void train_batches(benchmark::State& state) {
  const data::Dataset data = data::Dataset::open(spec_for(state), cache());
  std::vector<uint8_t> out(static_cast<size_t>(batch * (data.context() + 1)));
  int64_t step = 0;
  for (auto _ : state) {
    data.train_batch(1, step++, batch, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state, out.size());
}

void validation_windows(benchmark::State& state) {
  const data::Dataset data = data::Dataset::open(spec_for(state), cache());
  const data::ValidationWindows windows = data.validation(256);
  std::vector<uint8_t> out(static_cast<size_t>(windows.count() * (data.context() + 1)));
  for (auto _ : state) {
    windows.fill(0, windows.count(), out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state, out.size());
}

void yardsticks(benchmark::State& state) {
  const data::Dataset data = data::Dataset::open(spec_for(state), cache());
  const tokenize::ByteAlphabet tokenizer(spec_for(state).tokenizer);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        compute_yardsticks(data.train_text(), data.split().train, data.val_text(), {{data.split().val}}, tokenizer));
  set_bytes(state, data.train_text().size());
}

void vocabularies_and_contexts(benchmark::internal::Benchmark* bench) {
  for (const int64_t context : {64, 256, 1024})
    for (const int64_t vocab : {128, 256}) bench->Args({vocab, context});
}

BENCHMARK(memcpy_in_order)->Args({256, 256});
BENCHMARK(train_batches)->Apply(vocabularies_and_contexts);
BENCHMARK(validation_windows)->Args({128, 256});
BENCHMARK(yardsticks)->Args({128, 256})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  std::error_code ignored;
  std::filesystem::remove_all(bitsweep::cache(), ignored);
  return 0;
}
