// A text's tokens in files, encoded once: ROOT/data/tokens/<corpus12>-<tokenizer12>-<key8>/
//
//   NNNNNN.bin   shards (shard_file.h), one for each piece of the text (token_pieces.h), training pieces first
//   index.json   written last: what the store is of, and its shards with their tokens, bytes and checksums
//   checked.json when it was last read whole and found undamaged: a hash over the shards' attributes
//   lock         held by the process that builds
//
// Each shard appears whole, so a build that was stopped goes on with those that are missing, and what a killed one left
// half done is removed; several threads take one each. Everything can be deleted at any time when no run is going on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/notes.h"
#include "data/sources.h"
#include "data/split.h"
#include "data/token_pieces.h"
#include "data/tokens.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::data {

// What a store is of. Train and val are of one text, or of two.
struct StoreSource {
  std::string corpus_sha256;  // of both texts, as DataSpec::sha256
  std::string documents_sha256;
  std::shared_ptr<const tokenize::Tokenizer> tokenizer;
  std::string tokenizer_sha256;  // that names it
  DocumentTokens marks;
  TextDocuments train_text, val_text;
  Split split;  // of the bytes
};

struct StoreSide {
  std::vector<Segment> segments;  // of the tokens, one for each of the split's
  uint64_t tokens = 0;
  uint64_t text_bytes = 0;   // of the text
  uint64_t token_bytes = 0;  // that the tokens stand for
  double bytes_per_token() const {
    return tokens > 0 ? static_cast<double>(token_bytes) / static_cast<double>(tokens) : 1;
  }
};

struct StoreFacts {
  StoreSide train, val;
  uint64_t disk_bytes = 0;
  double bytes_kept() const {
    const double text = static_cast<double>(train.text_bytes + val.text_bytes);
    return text > 0 ? static_cast<double>(train.token_bytes + val.token_bytes) / text : 1;
  }
};

struct StoreEstimate {
  double tokens_per_byte = 0;
  double bytes_per_s = 0;  // of text, one thread
  double disk_bytes = 0;
  int width = 2;  // bytes a token on disk
};

// From a sample of the text to all its `bytes`.
StoreEstimate estimate_store(const tokenize::Tokenizer& tokenizer, const std::vector<std::string_view>& sample,
                             uint64_t bytes);

class TokenStore {
 public:
  // `cache`: ROOT/data.
  TokenStore(const fs::path& cache, StoreSource source);

  const fs::path& folder() const { return folder_; }
  // What is there, whole; nothing when a file is missing, torn, damaged or another's. Reads every shard, unless their
  // attributes are those with which build() found them undamaged.
  std::optional<StoreFacts> find() const;
  // Makes what is missing with `threads` threads, and tells how far it is. Waits for another process that builds it.
  // Memory is that of a document a thread. Throws Error{environment} when the disk refuses or has too little room.
  StoreFacts build(int threads, Notes& notes) const;
  // The tokens of either side. REQUIRES that the store is whole.
  std::shared_ptr<const TokenSource> open_train() const;
  std::shared_ptr<const TokenSource> open_val() const;

 private:
  struct Piece {
    Segment segment;
    bool train = false;
    size_t of = 0;  // which of the split's segments
  };
  fs::path shard_path(size_t piece) const;
  bool is_there(size_t piece) const;
  Sources files() const;  // index.json and the shards
  std::optional<StoreFacts> look(bool remember) const;
  void encode_piece(const Piece& piece, const fs::path& path, tokenize::Encoder& encoder) const;
  void build_missing(const std::vector<size_t>& missing, int threads, Notes& notes) const;
  void require_room(uint64_t bytes) const;
  StoreFacts write_index() const;
  std::shared_ptr<const TokenSource> open(bool train) const;

  StoreSource source_;
  int width_;
  std::string key_;
  fs::path folder_;
  std::vector<Piece> pieces_;
};

}  // namespace bitsweep::data
