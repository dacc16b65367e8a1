#include "data/corpus.h"

#include <chrono>

#include <fmt/format.h>

#include "base/error.h"
#include "data/generated.h"
#include "data/source_reader.h"
#include "data/text_sample.h"

namespace bitsweep::data {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

CorpusFacts facts_before_reading(const Sources& sources) {
  CorpusFacts facts;
  facts.name = sources.name;
  facts.notes = sources.notes;
  if (sources.kind == Sources::Kind::generated)
    facts.entropy_bits_per_byte = find_generated_corpus(sources.name)->entropy_bits_per_byte();
  return facts;
}

[[noreturn]] void refuse_empty(const Sources& sources, const CorpusFacts& facts) {
  std::string message = fmt::format("'{}' holds no text", sources.name);
  if (!sources.field.empty()) message += fmt::format(" under '{}'", sources.field);
  for (const std::string& note : facts.notes) message += "; " + note.substr(0, note.find_last_not_of('.') + 1);
  throw Error(ErrorKind::input, std::move(message));
}

std::shared_ptr<const CorpusText> map_in_place(const Sources& sources, std::optional<CorpusFacts> facts) {
  const SourceFile& file = sources.files.front();
  MappedFile map = map_source(file);
  if (!facts) {
    facts = facts_before_reading(sources);
    for (std::string& note : notes_on_plain_text(sources.name, map.bytes())) facts->notes.push_back(std::move(note));
    TextScan scan;
    scan.add(map.bytes());
    scan.finish(*facts);
    check_unchanged(file);
  }
  return std::make_shared<CorpusText>(std::move(*facts), std::move(map));
}

std::shared_ptr<const CorpusText> build(const Sources& sources, const CorpusCache& cache) {
  CorpusFacts facts = facts_before_reading(sources);
  CorpusWriter writer(cache, sources.name, sources.bytes());
  uint64_t bytes = 0;
  const auto add = [&](std::span<const uint8_t> text) {
    bytes += text.size();
    writer.add(text);
  };
  const auto end = [&] { writer.end_document(); };
  read_sources(sources, add, end, facts.notes);
  if (bytes == 0) refuse_empty(sources, facts);
  MappedFile map = writer.finish(facts);
  std::optional<MappedFile> ends;
  if (!facts.documents_sha256.empty()) ends = cache.find_ends(facts.documents_sha256);
  return std::make_shared<CorpusText>(std::move(facts), std::move(map), std::move(ends));
}

// What sources that the cache knows give, mapped; null when the text, or the ends of its documents, are not there (any
// more).
std::shared_ptr<const CorpusText> find_built(const CorpusFacts& facts, const CorpusCache& cache,
                                             const CorpusNeeds& needs) {
  auto found = cache.find(facts.sha256);
  if (!found) return nullptr;
  std::optional<MappedFile> ends;
  if (needs.documents && !facts.documents_sha256.empty()) {
    ends = cache.find_ends(facts.documents_sha256);
    if (!ends) return nullptr;
  }
  return std::make_shared<CorpusText>(facts, std::move(found->map), std::move(ends));
}

// What the cache remembers of the sources, if it is all that matters.
std::optional<CorpusFacts> remembered_facts(const Sources& sources, const CorpusCache& cache,
                                            const std::string& fingerprint, const CorpusNeeds& needs) {
  auto facts = cache.remembered(fingerprint);
  if (facts && needs.documents && !facts->documents && !lies_in_place(sources)) facts.reset();
  return facts;
}

}  // namespace

std::span<const uint64_t> CorpusText::document_ends() const {
  if (!ends_) return {};
  return {reinterpret_cast<const uint64_t*>(ends_->bytes().data()), ends_->bytes().size() / sizeof(uint64_t)};
}

InspectedCorpus inspect_corpus(const CorpusSpec& spec, const fs::path& cache_folder, const CorpusNeeds& needs) {
  const Sources sources = list_sources(spec);
  const CorpusCache cache(cache_folder);
  auto facts = remembered_facts(sources, cache, sources.fingerprint(), needs);
  if (lies_in_place(sources)) {
    auto text = map_in_place(sources, std::move(facts));
    return {text->facts, text, {}};
  }
  if (facts) {
    auto text = find_built(*facts, cache, needs);
    if (text != nullptr || !needs.sample) return {*facts, text, {}};
  }
  facts = facts_before_reading(sources);
  TextScan scan;
  TextSample sample;
  uint64_t bytes = 0;
  const auto add = [&](std::span<const uint8_t> text) {
    bytes += text.size();
    scan.add(text);
    if (needs.sample) sample.add(text);
  };
  read_sources(
      sources, add, [&] { scan.end_document(bytes); }, facts->notes);
  scan.finish(*facts);
  if (facts->stats.bytes == 0) refuse_empty(sources, *facts);
  return {*facts, nullptr, sample.take()};
}

std::shared_ptr<const CorpusText> open_corpus(const CorpusSpec& spec, const fs::path& cache_folder,
                                              const CorpusNeeds& needs) {
  const int64_t looked_ns = now_ns();
  const Sources sources = list_sources(spec);
  const std::string fingerprint = sources.fingerprint();
  const CorpusCache cache(cache_folder);
  auto facts = remembered_facts(sources, cache, fingerprint, needs);
  const bool known = facts.has_value();
  std::shared_ptr<const CorpusText> text;
  if (lies_in_place(sources)) {
    text = map_in_place(sources, std::move(facts));
  } else {
    if (known) text = find_built(*facts, cache, needs);
    if (!text) text = build(sources, cache);
  }
  if (!known && sources.settled(looked_ns)) cache.remember(fingerprint, text->facts);
  return text;
}

std::shared_ptr<const CorpusText> find_cached_corpus(const std::string& sha256, const fs::path& cache_folder,
                                                     const std::string& documents_sha256) {
  const CorpusCache cache(cache_folder);
  auto found = cache.find(sha256);
  if (!found) return nullptr;
  std::optional<MappedFile> ends;
  if (!documents_sha256.empty()) {
    ends = cache.find_ends(documents_sha256);
    if (!ends) return nullptr;
    // The same text may come of other documents.
    found->facts.documents = ends->bytes().size() / sizeof(uint64_t);
    found->facts.documents_sha256 = documents_sha256;
  }
  return std::make_shared<CorpusText>(std::move(found->facts), std::move(found->map), std::move(ends));
}

}  // namespace bitsweep::data
