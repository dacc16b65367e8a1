// A corpus: where its text comes from, what is known of it, and the text itself as one run of bytes.
//
//   one plain text file                       mapped where it lies
//   a folder, compressed files, JSON lines,
//   a built-in one                            written once to CACHE/<12 hex digits of its SHA-256>.txt, then mapped
//
// A folder's files are joined in order, each ending in a newline (put in where it is missing). The parts of a mixture
// are joined in order as they are, and each ends a document. The cache remembers what a set of sources contained by
// their attributes (sources.h), so that a text is read again only when one of them was touched, came or went. Format:
// README.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "data/corpus_cache.h"
#include "data/sources.h"

namespace bitsweep::data {

class CorpusText {
 public:
  CorpusText(CorpusFacts known, MappedFile map, std::optional<MappedFile> ends = {})
      : facts(std::move(known)), map_(std::move(map)), ends_(std::move(ends)) {}
  std::span<const uint8_t> bytes() const { return map_.bytes(); }
  // The ends of its documents, ascending; none where it is one, or they were not asked for.
  std::span<const uint64_t> document_ends() const;
  const CorpusFacts facts;

 private:
  MappedFile map_;
  std::optional<MappedFile> ends_;
};

struct InspectedCorpus {
  CorpusFacts facts;
  std::shared_ptr<const CorpusText> text;  // when it lies in one file already
  std::vector<std::string> sample;         // of one that does not, where a sample was asked for (data/text_sample.h)
  std::vector<uint64_t> ends;              // of its documents, where they were asked for
  // As CorpusText::document_ends() is, or will be when the text is built.
  std::span<const uint64_t> document_ends() const { return text != nullptr ? text->document_ends() : ends; }
};

// What matters of a text.
struct CorpusNeeds {
  bool documents = false;  // where they end: sources of which the cache knows the text alone are read again
  bool sample = false;     // some of its text
  bool ends = false;       // to a look alone: all the ends, 8 bytes of memory a document
};

// One corpus, or the parts of a mixture.
using CorpusParts = std::vector<CorpusSpec>;

// Reads the sources unless the cache knows what matters of them; writes nothing. Throws Error as list_sources and
// open_corpus do.
InspectedCorpus inspect_corpus(const CorpusParts& parts, const std::filesystem::path& cache,
                               const CorpusNeeds& needs = {});

// The text, built in the cache if need be. Several processes may do this at once: each builds a file of its own, and
// the last rename wins with the same bytes. Throws Error{input} as list_sources and read_sources do; Error{environment}
// when the cache cannot be written.
std::shared_ptr<const CorpusText> open_corpus(const CorpusParts& parts, const std::filesystem::path& cache,
                                              const CorpusNeeds& needs = {});

// The text of this content, with the ends of its documents where their hash is given, if the cache holds it whole; else
// null.
std::shared_ptr<const CorpusText> find_cached_corpus(const std::string& sha256, const std::filesystem::path& cache,
                                                     const std::string& documents_sha256 = "");

}  // namespace bitsweep::data
