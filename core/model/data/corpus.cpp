#include "data/corpus.h"

#include <chrono>

#include <fmt/format.h>

#include "base/error.h"
#include "data/generated.h"
#include "data/jsonl.h"

namespace bitsweep {
namespace {

constexpr size_t max_reported = 20;

bool lies_in_place(const Sources& sources) { return sources.kind == Sources::Kind::file && sources.field.empty(); }

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

[[noreturn]] void changed(const fs::path& path) {
  throw Error(ErrorKind::input, fmt::format("'{}' changed while it was read", path.string()));
}

// The file, mapped, if it still is what the listing saw.
MappedFile map_source(const SourceFile& file) {
  MappedFile map(file.path);
  if (map.bytes().size() != file.bytes) changed(file.path);
  return map;
}

void check_unchanged(const SourceFile& file) {
  if (look_at(file.path) != file) changed(file.path);
}

// Passes the whole text of the sources to `sink`.
void read_sources(const Sources& sources, const TextSink& sink) {
  if (sources.kind == Sources::Kind::generated) return sink(as_bytes(find_generated_corpus(sources.name)->text()));
  std::vector<Diagnostic> wrong;
  for (const SourceFile& file : sources.files) {
    const MappedFile map = map_source(file);
    if (!sources.field.empty()) {
      read_json_lines(map.bytes(), file.path.string(), sources.field, sink, wrong, max_reported);
      if (wrong.size() >= max_reported) break;
    } else if (!map.bytes().empty()) {
      sink(map.bytes());
      if (map.bytes().back() != '\n') sink(as_bytes("\n"));
    }
    check_unchanged(file);
  }
  if (wrong.size() >= max_reported) wrong.push_back({"", 0, 0, "further lines were not looked at"});
  if (!wrong.empty()) throw Error(ErrorKind::input, std::move(wrong));
}

CorpusFacts facts_before_reading(const Sources& sources) {
  CorpusFacts facts;
  facts.name = sources.name;
  facts.notes = sources.notes;
  if (sources.kind == Sources::Kind::generated)
    facts.entropy_bits_per_byte = find_generated_corpus(sources.name)->entropy_bits_per_byte();
  if (lies_in_place(sources) && (sources.name.ends_with(".jsonl") || sources.name.ends_with(".ndjson")))
    facts.notes.push_back(
        fmt::format("'{}' is taken as plain text; data.field names the text in JSON lines.", sources.name));
  return facts;
}

void check_not_empty(const Sources& sources, const CorpusFacts& facts) {
  if (facts.stats.bytes == 0)
    throw Error(ErrorKind::input, fmt::format("'{}' holds no text under '{}'", sources.name, sources.field));
}

std::shared_ptr<const CorpusText> map_in_place(const Sources& sources, std::optional<CorpusFacts> facts) {
  const SourceFile& file = sources.files.front();
  MappedFile map = map_source(file);
  if (!facts) {
    facts = facts_before_reading(sources);
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
  read_sources(sources, [&](std::span<const uint8_t> text) { writer.add(text); });
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
  read_sources(sources, [&](std::span<const uint8_t> text) { scan.add(text); });
  scan.finish(*facts);
  check_not_empty(sources, *facts);
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
  check_not_empty(sources, text->facts);
  if (!known && sources.settled(looked_ns)) cache.remember(fingerprint, text->facts);
  return text;
}

std::shared_ptr<const CorpusText> find_cached_corpus(const std::string& sha256, const fs::path& cache_folder) {
  auto found = CorpusCache(cache_folder).find(sha256);
  return found ? std::make_shared<CorpusText>(std::move(found->facts), std::move(found->map)) : nullptr;
}

}  // namespace bitsweep
