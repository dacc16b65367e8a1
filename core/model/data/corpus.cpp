#include "data/corpus.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "data/findings.h"
#include "data/generated.h"
#include "data/source_reader.h"
#include "data/text_sample.h"

namespace bitsweep::data {
namespace {

// The sources of a corpus, or of each part of a mixture.
class Listing {
 public:
  // What is wrong with every part is told at once.
  explicit Listing(const CorpusParts& parts) {
    Findings findings;
    for (const CorpusSpec& part : parts) findings.collect([&] { parts_.push_back(list_sources(part)); });
    findings.throw_if_any();
  }

  const std::vector<Sources>& parts() const { return parts_; }
  // The file whose bytes are the text; null when it has to be put together.
  const Sources* in_place() const { return !mixed() && lies_in_place(parts_[0]) ? &parts_[0] : nullptr; }

  std::string name() const {
    std::vector<std::string> names;
    for (const Sources& part : parts_) names.push_back(part.name);
    return fmt::format("{}", fmt::join(names, " + "));
  }
  uint64_t bytes() const {
    return std::accumulate(parts_.begin(), parts_.end(), uint64_t{0},
                           [](uint64_t sum, const Sources& part) { return sum + part.bytes(); });
  }
  std::string fingerprint() const {
    if (!mixed()) return parts_[0].fingerprint();
    std::string all = "mixture";
    for (const Sources& part : parts_) all += " " + part.fingerprint();
    return sha256_hex(all);
  }
  bool settled(int64_t now_ns) const {
    return std::all_of(parts_.begin(), parts_.end(), [&](const Sources& part) { return part.settled(now_ns); });
  }

  // Name, notes and what is known of a text that is generated.
  CorpusFacts facts_before_reading() const {
    CorpusFacts facts;
    facts.name = name();
    for (const Sources& part : parts_) facts.notes.insert(facts.notes.end(), part.notes.begin(), part.notes.end());
    if (!mixed() && parts_[0].kind == Sources::Kind::generated)
      facts.entropy_bits_per_byte = find_generated_corpus(parts_[0].name)->entropy_bits_per_byte();
    return facts;
  }

  // As read_sources; into `facts` come the notes and where parts end. Throws Error{input} for a part without text.
  void read(const TextSink& sink, const DocumentEnd& end, CorpusFacts& facts) const {
    uint64_t bytes = 0, ended = 0;
    Findings findings;
    const auto read_part = [&](const Sources& part) {
      const uint64_t begin = bytes;
      const auto count = [&](std::span<const uint8_t> text) {
        bytes += text.size();
        sink(text);
      };
      const auto count_end = [&] {
        ended = bytes;
        end();
      };
      read_sources(part, count, count_end, facts.notes);
      if (bytes == begin) refuse_empty(part, facts);
      if (!mixed()) return;
      if (ended != bytes) count_end();
      facts.part_ends.push_back(bytes);
    };
    for (const Sources& part : parts_) findings.collect([&] { read_part(part); });
    findings.throw_if_any();
  }

 private:
  bool mixed() const { return parts_.size() > 1; }

  [[noreturn]] static void refuse_empty(const Sources& sources, const CorpusFacts& facts) {
    std::string message = fmt::format("'{}' holds no text", sources.name);
    if (!sources.field.empty()) message += fmt::format(" under '{}'", sources.field);
    for (const std::string& note : facts.notes) message += "; " + note.substr(0, note.find_last_not_of('.') + 1);
    throw Error(ErrorKind::input, std::move(message));
  }

  std::vector<Sources> parts_;
};

std::shared_ptr<const CorpusText> map_in_place(const Sources& sources, CorpusFacts before,
                                               std::optional<CorpusFacts> facts) {
  const SourceFile& file = sources.files.front();
  MappedFile map = map_source(file);
  if (!facts) {
    facts = std::move(before);
    for (std::string& note : notes_on_plain_text(sources.name, map.bytes())) facts->notes.push_back(std::move(note));
    TextScan scan;
    scan.add(map.bytes());
    scan.finish(*facts);
    check_unchanged(file);
  }
  return std::make_shared<CorpusText>(std::move(*facts), std::move(map));
}

std::shared_ptr<const CorpusText> build(const Listing& listing, const CorpusCache& cache) {
  CorpusFacts facts = listing.facts_before_reading();
  CorpusWriter writer(cache, facts.name, listing.bytes());
  listing.read([&](std::span<const uint8_t> text) { writer.add(text); }, [&] { writer.end_document(); }, facts);
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
std::optional<CorpusFacts> remembered_facts(const Listing& listing, const CorpusCache& cache,
                                            const std::string& fingerprint, const CorpusNeeds& needs) {
  auto facts = cache.remembered(fingerprint);
  if (facts && needs.documents && !facts->documents && listing.in_place() == nullptr) facts.reset();
  return facts;
}

}  // namespace

std::span<const uint64_t> CorpusText::document_ends() const {
  if (!ends_) return {};
  return {reinterpret_cast<const uint64_t*>(ends_->bytes().data()), ends_->bytes().size() / sizeof(uint64_t)};
}

InspectedCorpus inspect_corpus(const CorpusParts& parts, const fs::path& cache_folder, const CorpusNeeds& needs) {
  const Listing listing(parts);
  const CorpusCache cache(cache_folder);
  auto facts = remembered_facts(listing, cache, listing.fingerprint(), needs);
  if (const Sources* file = listing.in_place()) {
    auto text = map_in_place(*file, listing.facts_before_reading(), std::move(facts));
    return {text->facts, text, {}, {}};
  }
  if (facts) {
    auto text = find_built(*facts, cache, needs);
    if (text != nullptr || (!needs.sample && !needs.ends)) return {*facts, text, {}, {}};
  }
  facts = listing.facts_before_reading();
  TextScan scan;
  TextSample sample;
  std::vector<uint64_t> ends;
  uint64_t bytes = 0;
  const auto add = [&](std::span<const uint8_t> text) {
    bytes += text.size();
    scan.add(text);
    if (needs.sample) sample.add(text);
  };
  const auto end = [&] {
    scan.end_document(bytes);
    if (needs.ends) ends.push_back(bytes);
  };
  listing.read(add, end, *facts);
  scan.finish(*facts);
  if (ends.size() == 1) ends.clear();  // one document
  return {*facts, nullptr, sample.take(), std::move(ends)};
}

std::shared_ptr<const CorpusText> open_corpus(const CorpusParts& parts, const fs::path& cache_folder,
                                              const CorpusNeeds& needs) {
  const int64_t looked_ns = file_time_now_ns();
  const Listing listing(parts);
  const std::string fingerprint = listing.fingerprint();
  const CorpusCache cache(cache_folder);
  auto facts = remembered_facts(listing, cache, fingerprint, needs);
  const bool known = facts.has_value();
  std::shared_ptr<const CorpusText> text;
  if (const Sources* file = listing.in_place()) {
    text = map_in_place(*file, listing.facts_before_reading(), std::move(facts));
  } else {
    if (known) text = find_built(*facts, cache, needs);
    if (!text) text = build(listing, cache);
  }
  if (!known && listing.settled(looked_ns)) cache.remember(fingerprint, text->facts);
  return text;
}

std::shared_ptr<const CorpusText> find_cached_corpus(const std::string& sha256, const fs::path& cache_folder,
                                                     const std::string& documents_sha256) {
  const CorpusCache cache(cache_folder);
  auto found = cache.find(sha256);
  if (!found) return nullptr;
  // The same text may come of other documents, and of a mixture.
  found->facts.part_ends.clear();
  found->facts.documents.reset();
  found->facts.documents_sha256.clear();
  std::optional<MappedFile> ends;
  if (!documents_sha256.empty()) {
    ends = cache.find_ends(documents_sha256);
    if (!ends) return nullptr;
    found->facts.documents = ends->bytes().size() / sizeof(uint64_t);
    found->facts.documents_sha256 = documents_sha256;
  }
  return std::make_shared<CorpusText>(std::move(found->facts), std::move(found->map), std::move(ends));
}

}  // namespace bitsweep::data
