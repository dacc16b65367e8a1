// Shards of tokens that another program made, as what a run is trained and scored on; and of the text that they stand
// for a sample, for count models and for stretches of text (eval.bytes).
#pragma once

#include <memory>

#include "base/files.h"
#include "data/corpus.h"
#include "data/dataset_info.h"
#include "data/split.h"
#include "data/tokens.h"
#include "spec/run_spec.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::data {

struct ShardData {
  std::shared_ptr<const tokenize::Tokenizer> tokenizer;  // that made them; null where nobody knows it
  std::shared_ptr<const TokenSource> train, val;         // each in one piece, files in the order of their paths
  double bytes_per_train_token = 1;
  DatasetInfo info;
};

// Reads every token once, which with `keep` the cache remembers by the files' attributes. Throws Error{input} for what
// is wrong with the files (no match, no shard, torn, in both globs), for a token beyond the vocabulary, with file and
// place, and for files that changed since the run was planned.
ShardData open_shards(const spec::DataSpec& spec, const fs::path& cache, bool keep);

// What the tokens stand for, or of more than yardstick_sample_bytes 64 spread pieces: decoded once into the cache.
// Null without a tokenizer.
struct ShardTexts {
  std::shared_ptr<const CorpusText> train, val;
};
ShardTexts decode_shards(const ShardData& data, const fs::path& cache);

}  // namespace bitsweep::data
