#include "data/corpus.h"

#include <chrono>

#include <fmt/format.h>

#include "base/error.h"
#include "data/generated.h"
#include "data/source_reader.h"

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
  read_sources(sources, add, facts.notes);
  if (bytes == 0) refuse_empty(sources, facts);
  MappedFile map = writer.finish(facts);
  return std::make_shared<CorpusText>(std::move(facts), std::move(map));
}

// What sources that the cache knows give, mapped; null when the text is not there (any more).
std::shared_ptr<const CorpusText> find_built(const CorpusFacts& facts, const CorpusCache& cache) {
  auto found = cache.find(facts.sha256);
  return found ? std::make_shared<CorpusText>(facts, std::move(found->map)) : nullptr;
}

}  // namespace

InspectedCorpus inspect_corpus(const CorpusSpec& spec, const fs::path& cache_folder) {
  const Sources sources = list_sources(spec);
  const CorpusCache cache(cache_folder);
  auto facts = cache.remembered(sources.fingerprint());
  if (lies_in_place(sources)) {
    auto text = map_in_place(sources, std::move(facts));
    return {text->facts, text};
  }
  if (facts) return {*facts, find_built(*facts, cache)};
  facts = facts_before_reading(sources);
  TextScan scan;
  read_sources(
      sources, [&](std::span<const uint8_t> text) { scan.add(text); }, facts->notes);
  scan.finish(*facts);
  if (facts->stats.bytes == 0) refuse_empty(sources, *facts);
  return {*facts, nullptr};
}

std::shared_ptr<const CorpusText> open_corpus(const CorpusSpec& spec, const fs::path& cache_folder) {
  const int64_t looked_ns = now_ns();
  const Sources sources = list_sources(spec);
  const std::string fingerprint = sources.fingerprint();
  const CorpusCache cache(cache_folder);
  auto facts = cache.remembered(fingerprint);
  const bool known = facts.has_value();
  std::shared_ptr<const CorpusText> text;
  if (lies_in_place(sources)) {
    text = map_in_place(sources, std::move(facts));
  } else {
    if (known) text = find_built(*facts, cache);
    if (!text) text = build(sources, cache);
  }
  if (!known && sources.settled(looked_ns)) cache.remember(fingerprint, text->facts);
  return text;
}

std::shared_ptr<const CorpusText> find_cached_corpus(const std::string& sha256, const fs::path& cache_folder) {
  auto found = CorpusCache(cache_folder).find(sha256);
  return found ? std::make_shared<CorpusText>(std::move(found->facts), std::move(found->map)) : nullptr;
}

}  // namespace bitsweep::data
