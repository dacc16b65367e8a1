// The cache of texts: ROOT/data. Files, all replaced by rename only, so that a reader sees a whole one or none:
//
//   <sha12>.txt, <sha12>.json    a text that was put together, and its facts
//   <ends12>.ends               where the documents of a text end: uint64 each, ascending
//   sources-<key12>.json         the facts of the text that sources of this fingerprint give
//   yardsticks-<key12>.json      count-model results (dataset.cpp)
//   building-<pid>-<n>.tmp       a text being written; one that is a day old is left from a crash and is removed
//
// Everything here can be deleted at any time when no run is going on; it is then made again. A damaged or foreign file
// counts as absent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "data/text_stats.h"

namespace bitsweep::data {

// What is known of a text without holding it.
struct CorpusFacts {
  std::string name;
  std::string sha256;
  TextStats stats;
  std::optional<double> entropy_bits_per_byte;
  std::vector<std::string> notes;
  // How many there are, and the hash over their ends where there are two or more; nothing where it was not looked at.
  std::optional<uint64_t> documents;
  std::string documents_sha256;
  std::vector<uint64_t> part_ends = {};  // of a mixture: where the text of each part ends, ascending; else none

  // Names the text and how it is parted: 64 hex digits.
  std::string content() const;
};

// Facts gathered in one pass over a text.
class TextScan {
 public:
  void add(std::span<const uint8_t> text);
  // A document ends `end` bytes behind the text's begin.
  void end_document(uint64_t end);
  // Takes the hashes; further text starts new ones.
  void finish(CorpusFacts& facts);

 private:
  Sha256 hash_, ends_hash_;
  TextStats stats_;
  uint64_t documents_ = 0;
};

class CorpusCache {
 public:
  explicit CorpusCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::optional<CorpusFacts> remembered(const std::string& fingerprint) const;
  // Best effort: a cache that cannot be written only costs time.
  void remember(const std::string& fingerprint, const CorpusFacts& facts) const;

  struct Found {
    CorpusFacts facts;
    MappedFile map;
  };
  std::optional<Found> find(const std::string& sha256) const;
  // Ends of documents by their hash; nothing when the file is not there or is another's.
  std::optional<MappedFile> find_ends(const std::string& documents_sha256) const;

  // JSON documents by key, for other things worth keeping; `kind` is the file's prefix.
  std::optional<json::object> load(const std::string& kind, const std::string& key) const;
  void save(const std::string& kind, const std::string& key, json::object document) const;  // best effort

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

// Writes a text into the cache. Without finish() nothing stays behind.
class CorpusWriter {
 public:
  // Makes the folder. Throws Error{environment} when it cannot, or when fewer than `expected_bytes` are free there.
  CorpusWriter(const CorpusCache& cache, const std::string& corpus_name, uint64_t expected_bytes);
  ~CorpusWriter();
  CorpusWriter(const CorpusWriter&) = delete;
  CorpusWriter& operator=(const CorpusWriter&) = delete;

  // Throws Error{environment} when the disk refuses.
  void add(std::span<const uint8_t> text);
  void end_document();
  // Fills in hashes and counts, puts text, ends and facts in place, maps the text.
  MappedFile finish(CorpusFacts& facts);

 private:
  // A file of this writer alone, to be renamed.
  struct Growing {
    std::filesystem::path path;  // "" once it is in place
    Fd file;
  };
  Growing begin_file() const;
  void flush();
  void flush_ends();
  void put_in_place(Growing& growing, const std::filesystem::path& path) const;

  std::filesystem::path folder_;
  Growing text_, ends_;  // ends_: from the second document on
  std::vector<uint8_t> buffer_;
  std::string ends_buffer_;
  uint64_t bytes_ = 0, first_end_ = 0, documents_ = 0;
  TextScan scan_;
};

}  // namespace bitsweep::data
