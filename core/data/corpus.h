// A corpus: where its text comes from, what it contains, and the text itself as one run of bytes.
//
//   one text file   mapped where it lies
//   anything else   (folder, JSONL, headers, stories) written once to CACHE/<first 12 hex digits of its SHA-256>.txt
//
// Sources are fingerprinted by path, size, modification time and inode, so that a text is read again only when one of
// them changed, came or went. Format of the cache: README.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "data/text_stats.h"

namespace bitsweep {

struct CorpusSpec {
  std::string corpus;  // headers | stories | path of a file or folder
  std::string glob;    // files taken from a folder; "" is all
  std::string field;   // the text's key in JSONL; "" is plain text
};

// What is known of a text without holding it.
struct CorpusFacts {
  std::string name;
  std::string sha256;
  TextStats stats;
  std::optional<double> entropy_bits_per_byte;
  std::vector<std::string> notes;
};

class CorpusText {
 public:
  CorpusText(CorpusFacts facts, MappedFile map) : facts(std::move(facts)), map_(std::move(map)) {}
  std::span<const uint8_t> bytes() const { return map_.bytes(); }
  const CorpusFacts facts;

 private:
  MappedFile map_;
};

// Reads every source that the cache does not know; writes nothing. Throws Error{input | environment}.
// `text` (may be null) receives the text when it lies in one file already.
CorpusFacts inspect_corpus(const CorpusSpec& spec, const std::filesystem::path& cache,
                           std::shared_ptr<const CorpusText>* text = nullptr);

// The text, built in the cache if need be. Several processes may do this at once: each writes a file of its own, and the
// last rename wins with the same bytes.
std::shared_ptr<const CorpusText> open_corpus(const CorpusSpec& spec, const std::filesystem::path& cache);

// The text of this content if the cache holds it whole.
std::shared_ptr<const CorpusText> find_cached_corpus(const std::string& sha256, const std::filesystem::path& cache);

}  // namespace bitsweep
