// Tokenizers and token stores, each against an anchor in the same run.
//
//   bench_tokens [TOKENIZE.py]
//
//   encoding a MiB and a document a line: byte-level BPE ÷ Hugging Face's tokenizers, one thread   must ≥ 2
//   building a store: two threads ÷ one                                                            must ≥ 1.8 on two
//   cores batches from a store of uint16: tokens of two bytes a second                                   must ≥ 1 GB/s
//
// Texts are the corpora `headers` (code) and `stories` (prose). The peer is asked by $PYTHON TOKENIZE.py, where that
// has it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "base/files.h"
#include "data/dataset.h"
#include "tokenize/open.h"

namespace bitsweep {
namespace {

const fs::path kGoldens = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/tokenize/goldens";
constexpr int kRounds = 5;

template <class Act>
double seconds(Act act) {
  const auto begun = std::chrono::steady_clock::now();
  act();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string run(const std::string& command) {
  std::string text;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    char part[4096];
    for (size_t n; (n = std::fread(part, 1, sizeof(part), pipe)) > 0;) text.append(part, n);
    ::pclose(pipe);
  }
  return text;
}

struct Text {
  std::string name;
  fs::path file;
};

std::vector<std::string_view> documents(std::string_view text, bool lines) {
  if (!lines) return {text};
  std::vector<std::string_view> found;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n') + 1, text.size());
    found.push_back(text.substr(0, end == 0 ? text.size() : end));
    text.remove_prefix(found.back().size());
  }
  return found;
}

void encoding(const std::vector<Text>& texts, const std::string& peer) {
  fmt::print("encoding, one thread, MB/s; median of {}\n{:<10}{:<14}{:<10}{:>8}{:>10}{:>8}\n", kRounds, "text",
             "tokenizer", "documents", "ours", "theirs", "ratio");
  for (const Text& text : texts) {
    const std::string bytes = read_file(text.file);
    for (const char* name : {"gpt2.json", "llama3.json", "qwen.json"}) {
      const auto tokenizer = tokenize::open_tokenizer((kGoldens / name).string());
      for (const bool lines : {false, true}) {
        const auto all = documents(bytes, lines);
        std::vector<double> rates;
        for (int i = 0; i < kRounds; ++i) {
          const auto encoder = tokenizer->make_encoder();
          std::vector<tokenize::TokenId> ids;
          const double took = seconds([&] {
            for (const std::string_view one : all) encoder->encode(one, ids);
          });
          rates.push_back(static_cast<double>(bytes.size()) / 1e6 / took);
        }
        double theirs = 0;
        if (!peer.empty())
          theirs = std::atof(run(fmt::format("{} {} {} {}", peer, (kGoldens / name).string(), text.file.string(),
                                             lines ? "lines" : "whole"))
                                 .c_str());
        fmt::print("{:<10}{:<14}{:<10}{:>8.1f}{:>10}{:>8}\n", text.name, name, lines ? "lines" : "whole", median(rates),
                   theirs > 0 ? fmt::format("{:.2f}", theirs) : "-",
                   theirs > 0 ? fmt::format("{:.1f}", median(rates) / theirs) : "-");
      }
    }
  }
}

spec::DataSpec stories(const char* tokenizer) {
  spec::DataSpec spec;
  spec.corpus = "stories";
  spec.tokenizer = (kGoldens / tokenizer).string();
  spec.context = 256;
  return spec;
}

void building(const fs::path& cache) {
  for (const char* name : {"gpt2.json", "bpe.model"}) {
    std::vector<double> one, two;
    for (int i = 0; i < kRounds; ++i)
      for (int threads : {1, 2}) {
        std::error_code code;
        fs::remove_all(cache / "tokens", code);
        data::Dataset::inspect(stories(name), cache);  // the text is there and read
        (threads == 1 ? one : two).push_back(seconds([&] {
          data::Dataset::open(stories(name), cache, {.threads = threads});
        }));
      }
    fmt::print("store of stories (16.8 MB) by {}: one thread {:.2f} s, two {:.2f} s, ratio {:.2f}\n", name, median(one),
               median(two), median(one) / median(two));
  }
}

void batches(const fs::path& cache) {
  const data::Dataset tokens = data::Dataset::open(stories("gpt2.json"), cache);
  constexpr int64_t kBatch = 64;
  std::vector<int32_t> out(static_cast<size_t>(kBatch * (tokens.context() + 1)));
  std::vector<double> rates;
  int64_t step = 0;
  for (int i = 0; i < kRounds; ++i) {
    constexpr int kSteps = 2000;
    const double took = seconds([&] {
      for (int s = 0; s < kSteps; ++s) tokens.train_batch(1, step++, kBatch, std::span(out));
    });
    rates.push_back(2.0 * static_cast<double>(out.size()) * kSteps / 1e9 / took);
  }
  fmt::print("batches of 64 windows of 257 from uint16: {:.2f} GB/s of tokens as stored\n", median(rates));
}

}  // namespace
}  // namespace bitsweep

int main(int argc, char** argv) {
  using namespace bitsweep;
  const fs::path cache = fs::temp_directory_path() / fmt::format("bitsweep-tokens-bench-{}", ::getpid());
  make_folder(cache);
  const char* python = std::getenv("PYTHON");
  const std::string peer = argc > 1 && python != nullptr ? fmt::format("{} {}", python, argv[1]) : "";
  std::vector<Text> texts;
  for (const char* corpus : {"stories", "headers"}) {
    spec::DataSpec spec;
    spec.corpus = corpus;
    const data::Dataset data = data::Dataset::open(spec, cache);
    const auto part = data.train_text().first(std::min<size_t>(data.train_text().size(), 4'000'000));
    texts.push_back({corpus, cache / fmt::format("{}.part", corpus)});
    write_file_atomic(texts.back().file, {reinterpret_cast<const char*>(part.data()), part.size()});
  }
  encoding(texts, peer);
  building(cache);
  batches(cache);
  std::error_code code;
  fs::remove_all(cache, code);
  return 0;
}
