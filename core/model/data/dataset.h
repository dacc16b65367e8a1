// A dataset as a run sees it: text in, token batches, fixed validation windows and their yardsticks out.
//
//   const Dataset data = Dataset::open(spec.data, root / "data");
//   data.train_batch(seed, step, batch, buffer);              // [batch, context + 1] tokens of data.width()
//   const ValidationWindows val = data.validation(spec.eval);
//   val.fill(0, val.count(), buffer);
//
// Thread-safe once open. The text is mapped, not copied: a file that another program shortens while a run reads it
// raises SIGBUS, as with every mapped file; its size is checked when it is opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/notes.h"
#include "data/dataset_info.h"
#include "data/example_data.h"
#include "data/induction.h"
#include "data/mixture.h"
#include "data/mixture_order.h"
#include "data/split.h"
#include "data/token_store.h"
#include "data/tokens.h"
#include "data/validation_windows.h"
#include "data/yardsticks.h"
#include "spec/run_spec.h"
#include "tokenize/byte_alphabet.h"

namespace bitsweep::data {

class CorpusText;  // data/corpus.h

struct DatasetYardsticks {
  Yardsticks split;                   // of the whole validation split
  std::vector<Yardsticks> windows;    // of the targets of each set of validation windows that was asked for
  std::vector<Yardsticks> stretches;  // of each set of stretches
};

// How tokens that are not there yet are made.
struct BuildOptions {
  int threads = 1;
  Notes* notes = nullptr;  // told what takes long; null: nobody
};

class Dataset {
 public:
  // Opens the text, building it once in `cache` (ROOT/data; made when absent) if it comes from several sources. When
  // spec.sha256 is set and the cache holds that text, the sources are not looked at; otherwise a text whose hash
  // differs from it is refused. Throws Error: input for what is wrong with the data, environment for what the machine
  // lacks.
  // Tokens of a tokenizer that is no alphabet are encoded here if they are not in the cache.
  // A spec without corpus and examples, as an imported run has, gives a tokenizer, or only a number of tokens, and no
  // text: whatever asks for one throws Error{input} then.
  static Dataset open(const spec::DataSpec& spec, const std::filesystem::path& cache, const BuildOptions& build = {});

  // Tokens that come from elsewhere, split as a text of as many bytes is. `named` says what cannot be counted: name and
  // hashes. Without a text: train_text, val_text and yardsticks are not for it. `val` is `train` where it is to be
  // split.
  static Dataset over(const spec::DataSpec& spec, DatasetInfo named, std::shared_ptr<const TokenSource> train,
                      std::shared_ptr<const TokenSource> val);

  // The same facts as open's, writing nothing; reads what the cache already knows. Tokens that are not encoded yet are
  // estimated. For `plan`.
  static DatasetInfo inspect(const spec::DataSpec& spec, const std::filesystem::path& cache);

  const DatasetInfo& info() const { return info_; }
  int64_t context() const { return context_; }
  // Of a batch's tokens. The model may have rows for more (info().vocab).
  TokenWidth width() const { return width_of(tokenizer_ != nullptr ? tokenizer_->vocab() : info_.vocab); }
  // Of the train split; 1 where a token is a byte.
  double bytes_per_train_token() const { return tokens_.bytes_per_train_token; }
  const Split& split() const { return text_split_; }  // of the bytes; none of examples
  // Of shards the texts are samples of what the tokens stand for.
  std::span<const uint8_t> train_text() const;        // what split().train indexes
  std::span<const uint8_t> val_text() const;          // what split().val indexes

  // Whether sequences are examples, of which the answers alone count.
  bool of_examples() const { return examples_ != nullptr; }
  // Whether it has train_text() and val_text(): not of examples, nor of tokens of which nobody knows the text.
  bool knows_text() const { return texts_.train != nullptr; }
  // Of the sequences first_index, first_index + 1, …: 1 for each target that counts, into out [count, context].
  // REQUIRES of_examples().
  void counted(uint64_t seed, int64_t first_index, int64_t count, std::span<uint8_t> out) const;

  // Tokens of the sequences first_index, first_index + 1, … of the run with this seed into out [count, context + 1].
  // Sequence i is a pure function of (seed, i).
  void sequences(uint64_t seed, int64_t first_index, int64_t count, TokenSpan out) const;
  // The sequences of one step.
  void train_batch(uint64_t seed, int64_t step, int64_t batch, TokenSpan out) const {
    sequences(seed, step * batch, batch, out);
  }

  // `wanted` windows evenly spread over the validation split; all of them when there are fewer.
  ValidationWindows validation(int64_t wanted) const;
  // What a run is scored on: so many windows, or with eval.bytes stretches of text.
  ValidationWindows validation(const spec::EvalSpec& eval) const;

  // Count-model bits per byte of the validation split; of exactly what a model is scored on by validation(w), for each
  // w of `windows` (none where a token is no byte); and of the stretches of `bytes` of text, each. Computed once and
  // kept in the cache, whatever tokenizer asks next; `notes` are told when something has to be counted.
  DatasetYardsticks yardsticks(const std::vector<int64_t>& windows = {}, const std::vector<int64_t>& bytes = {},
                               Notes* notes = nullptr) const;

  // Null for tokens that come from elsewhere, and where the spec names none.
  const std::shared_ptr<const tokenize::Tokenizer>& tokenizer() const { return tokenizer_; }

 private:
  struct Texts {
    std::shared_ptr<const CorpusText> train;
    std::shared_ptr<const CorpusText> val;  // the same as train when the corpus is split
    Mixture mixture = {};                   // of train, and of val when the corpus is split
  };
  // What windows are cut from.
  struct Tokens {
    std::shared_ptr<const TokenSource> train, val;
    Split split;  // of the tokens
    double bytes_per_train_token = 1;
  };
  Dataset(const spec::DataSpec& spec, std::filesystem::path cache, Texts texts, Split text_split,
          std::shared_ptr<const tokenize::Tokenizer> tokenizer, Tokens tokens, DatasetInfo info);
  Dataset(const spec::DataSpec& spec, ExampleData data);
  Dataset(const spec::DataSpec& spec, std::shared_ptr<const tokenize::Tokenizer> tokenizer, DatasetInfo info);
  static Dataset without_text(const spec::DataSpec& spec);
  static Dataset of_shards(const spec::DataSpec& spec, const std::filesystem::path& cache);
  void require_text() const;
  void require_known_text() const;
  // Which row each of the sequences is.
  std::vector<int64_t> rows_of(uint64_t seed, int64_t first_index, int64_t count) const;
  static Dataset of_texts(const spec::DataSpec& spec, const std::filesystem::path& cache, Texts texts,
                          const BuildOptions& build);
  // Of the train split, what count models are counted on.
  std::vector<Segment> counted_segments() const;
  void tell_counting(Notes& notes) const;
  // Names the result of count models on these bytes in the cache.
  std::string yardsticks_key(const ScoredBytes& part) const;

  std::filesystem::path cache_;
  std::shared_ptr<const tokenize::Tokenizer> tokenizer_;
  std::string alphabet_;  // of count models
  int64_t context_;
  Mixture mixture_;
  Texts texts_;       // none of tokens that come from elsewhere
  Split text_split_;  // of their bytes
  Tokens tokens_;
  std::optional<MixtureOrder> order_;                          // of windows
  std::shared_ptr<const examples::Rows> examples_, held_out_;  // in place of texts and tokens
  DatasetInfo info_;
};

}  // namespace bitsweep::data
