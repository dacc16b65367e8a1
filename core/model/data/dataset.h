// A dataset as a run sees it: text in, token batches, fixed validation windows and their yardsticks out.
//
//   const Dataset data = Dataset::open(spec.data, root / "data");
//   data.train_batch(seed, step, batch, buffer);              // [batch, context + 1] tokens of data.width()
//   const ValidationWindows val = data.validation(spec.eval.windows);
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
#include "data/induction.h"
#include "data/split.h"
#include "data/tokens.h"
#include "data/window_order.h"
#include "data/yardsticks.h"
#include "spec/run_spec.h"
#include "tokenize/byte_alphabet.h"

namespace bitsweep::data {

class CorpusText;  // data/corpus.h

struct DatasetInfo {
  std::string name;           // of the built-in corpus, or the file's or folder's
  std::string sha256;         // of the corpus; with a separate validation text, of both: what DataSpec::sha256 holds
  uint64_t bytes = 0;         // of the corpus, and of the separate validation text
  int64_t train_tokens = 0;   // in the train split
  int64_t train_windows = 0;  // visited once each in an epoch
  int64_t val_tokens = 0;     // in the validation split
  int64_t val_windows = 0;    // non-overlapping, to choose from
  std::string val_sha256;     // of the validation split's bytes; "" from inspect() when it would have to build the text
  uint64_t unknown_bytes = 0;                   // outside the tokenizer's vocabulary, in both splits
  int64_t vocab = 0;                            // token ids lie below it
  std::optional<double> entropy_bits_per_byte;  // of the source, where it is known
  std::optional<InductionTask> task;            // of the validation windows, on a corpus of such a task
  std::vector<std::string> notes;               // what a person should be told, one sentence each
};

json::object to_json(const DatasetInfo& info);

struct DatasetYardsticks {
  Yardsticks split;                 // of the whole validation split
  std::vector<Yardsticks> windows;  // of the targets of each set of validation windows that was asked for
};

// A fixed set of validation windows: the same ones for every run on the same split, context and count.
class ValidationWindows {
 public:
  int64_t count() const { return static_cast<int64_t>(starts_.size()); }
  TokenWidth width() const { return width_of(tokens_->vocab()); }
  // Windows [first, first + count) as tokens into out [count, context + 1].
  void fill(int64_t first, int64_t count, TokenSpan out) const;
  // Bytes of text that the targets of these windows stand for: all their tokens but the first of each.
  int64_t target_bytes(int64_t first, int64_t count) const;

  // Whether the corpus is that of an induction task.
  bool have_answers() const { return task_.has_value(); }
  // The answers (data/induction.h) in windows [first, first + count): w * context + t for the byte after t + 1 bytes of
  // window first + w, ascending. None without a task.
  std::vector<int64_t> answers(int64_t first, int64_t count) const;

 private:
  friend class Dataset;
  std::shared_ptr<const TokenSource> tokens_;
  std::shared_ptr<const CorpusText> text_;  // of a task
  int64_t context_ = 0;
  std::optional<InductionTask> task_;
  std::vector<uint64_t> starts_;
};

class Dataset {
 public:
  // Opens the text, building it once in `cache` (ROOT/data; made when absent) if it comes from several sources. When
  // spec.sha256 is set and the cache holds that text, the sources are not looked at; otherwise a text whose hash
  // differs from it is refused. Throws Error: input for what is wrong with the data, environment for what the machine
  // lacks.
  static Dataset open(const spec::DataSpec& spec, const std::filesystem::path& cache);

  // Tokens that come from elsewhere, split as a text of as many bytes is. `named` says what cannot be counted: name and
  // hashes. Without a text: train_text, val_text and yardsticks are not for it. `val` is `train` where it is to be
  // split.
  static Dataset over(const spec::DataSpec& spec, DatasetInfo named, std::shared_ptr<const TokenSource> train,
                      std::shared_ptr<const TokenSource> val);

  // The same facts as open's, writing nothing; reads what the cache already knows. For `plan`.
  static DatasetInfo inspect(const spec::DataSpec& spec, const std::filesystem::path& cache);

  const DatasetInfo& info() const { return info_; }
  int64_t context() const { return context_; }
  TokenWidth width() const { return width_of(train_tokens_->vocab()); }
  // Of the train split; 1 where a token is a byte.
  double bytes_per_train_token() const;
  const Split& split() const { return split_; }
  std::span<const uint8_t> train_text() const;  // what split().train indexes
  std::span<const uint8_t> val_text() const;    // what split().val indexes

  // Tokens of the sequences first_index, first_index + 1, … of the run with this seed into out [count, context + 1].
  // Sequence i is a pure function of (seed, i).
  void sequences(uint64_t seed, int64_t first_index, int64_t count, TokenSpan out) const;
  // The sequences of one step.
  void train_batch(uint64_t seed, int64_t step, int64_t batch, TokenSpan out) const {
    sequences(seed, step * batch, batch, out);
  }

  // `wanted` windows evenly spread over the validation split; all of them when there are fewer.
  ValidationWindows validation(int64_t wanted) const;

  // Count-model bits per byte of the validation split, and of exactly what a model is scored on by validation(w), for
  // each w of `windows`. Computed once and kept in the cache.
  DatasetYardsticks yardsticks(const std::vector<int64_t>& windows = {}) const;

 private:
  struct Texts {
    std::shared_ptr<const CorpusText> train;
    std::shared_ptr<const CorpusText> val;  // the same as train when the corpus is split
  };
  Dataset(const spec::DataSpec& spec, std::filesystem::path cache, Texts texts);
  Dataset(int64_t context, Split split, DatasetInfo info, std::shared_ptr<const TokenSource> train,
          std::shared_ptr<const TokenSource> val);
  // Names the result of count models on these bytes in the cache.
  std::string yardsticks_key(const ScoredBytes& part) const;

  std::filesystem::path cache_;
  std::string tokenizer_;
  int64_t context_;
  Texts texts_;  // none of tokens that come from elsewhere
  std::shared_ptr<const TokenSource> train_tokens_, val_tokens_;
  Split split_;
  WindowOrder order_;
  DatasetInfo info_;
};

}  // namespace bitsweep::data
