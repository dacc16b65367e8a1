// A corpus: where its text comes from, what is known of it, and the text itself as one run of bytes.
//
//   one plain text file                       mapped where it lies
//   a folder, compressed files, JSON lines,
//   a built-in one                            written once to CACHE/<12 hex digits of its SHA-256>.txt, then mapped
//
// A folder's files are joined in order, each ending in a newline (put in where it is missing). The cache remembers
// what a set of sources contained by their attributes (sources.h), so that a text is read again only when one of them
// was touched, came or went. Format: README.md.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/files.h"
#include "data/corpus_cache.h"
#include "data/sources.h"

namespace bitsweep::data {

class CorpusText {
 public:
  CorpusText(CorpusFacts known, MappedFile map) : facts(std::move(known)), map_(std::move(map)) {}
  std::span<const uint8_t> bytes() const { return map_.bytes(); }
  const CorpusFacts facts;

 private:
  MappedFile map_;
};

struct InspectedCorpus {
  CorpusFacts facts;
  std::shared_ptr<const CorpusText> text;  // when it lies in one file already
};

// Reads the sources unless the cache knows them; writes nothing. Throws Error as list_sources and open_corpus do.
InspectedCorpus inspect_corpus(const CorpusSpec& spec, const std::filesystem::path& cache);

// The text, built in the cache if need be. Several processes may do this at once: each builds a file of its own, and
// the last rename wins with the same bytes. Throws Error{input} as list_sources and read_sources do; Error{environment}
// when the cache cannot be written.
std::shared_ptr<const CorpusText> open_corpus(const CorpusSpec& spec, const std::filesystem::path& cache);

// The text of this content if the cache holds it whole, else null.
std::shared_ptr<const CorpusText> find_cached_corpus(const std::string& sha256, const std::filesystem::path& cache);

}  // namespace bitsweep::data
