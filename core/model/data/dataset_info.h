// What is known of a dataset: what `plan` tells of it, and what a run records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/corpus_cache.h"
#include "data/induction.h"
#include "data/split.h"
#include "data/token_store.h"
#include "spec/run_spec.h"

namespace bitsweep::data {

struct DatasetInfo {
  std::string name;           // of the built-in corpus, or the file's or folder's
  std::string sha256;         // of the corpus; with a separate validation text, of both: what DataSpec::sha256 holds
  uint64_t bytes = 0;         // of the corpus, and of the separate validation text
  int64_t train_tokens = 0;   // in the train split
  int64_t train_windows = 0;  // visited once each in an epoch
  int64_t val_tokens = 0;     // in the validation split
  int64_t val_windows = 0;    // non-overlapping, to choose from
  // Of text in it: of each part of a mixture that is split, else of all; none where nobody knows a text.
  std::vector<uint64_t> val_bytes;
  std::string val_sha256;     // of the validation split's bytes; "" from inspect() when it would have to build the text
  uint64_t unknown_bytes = 0;  // outside the tokenizer's vocabulary, in both splits
  int64_t vocab = 0;           // token ids lie below it
  // Of tokens that are no bytes: what decides their ids, what stands between documents (none | bos | eos) and where
  // those end; bytes kept of the text's, and bytes a token; and what their store takes, where it is not there yet and
  // the counts of tokens above are estimates.
  std::string tokenizer_sha256, documents = "none", documents_sha256;
  double bytes_kept = 1, bytes_per_token = 1;
  std::optional<StoreEstimate> to_build;
  std::optional<double> entropy_bits_per_byte;  // of the source, where it is known
  std::optional<InductionTask> task;            // of the validation windows, on a corpus of such a task
  std::vector<std::string> notes;               // what a person should be told, one sentence each
};

json::object to_json(const DatasetInfo& info);

// What follows from the texts (`val` null: the corpus is split) and the split of their bytes, a token being a byte;
// without val_sha256. Throws Error{input} when the texts are not those that the run was planned on, and of a run that
// is being planned when both are the same.
DatasetInfo describe_texts(const spec::DataSpec& spec, const CorpusFacts& train, const CorpusFacts* val,
                           const Split& split);

// Tokens and windows of a split of tokens.
void count_tokens(const Split& tokens, int64_t context, DatasetInfo& info);

}  // namespace bitsweep::data
