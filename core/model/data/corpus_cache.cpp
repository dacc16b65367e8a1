#include "data/corpus_cache.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::data {
namespace {

constexpr size_t buffer_bytes = 1 << 20;
constexpr uint64_t document_limit_bytes = 1 << 20;
constexpr auto abandoned_after = std::chrono::hours(24);

fs::path text_path(const fs::path& folder, const std::string& sha256) {
  return folder / (sha256.substr(0, 12) + ".txt");
}
fs::path facts_path(const fs::path& folder, const std::string& sha256) {
  return folder / (sha256.substr(0, 12) + ".json");
}

fs::path ends_path(const fs::path& folder, const std::string& documents_sha256) {
  return folder / (documents_sha256.substr(0, 12) + ".ends");
}

json::object to_json(const CorpusFacts& facts) {
  json::array notes(facts.notes.begin(), facts.notes.end());
  json::value entropy = nullptr;
  if (facts.entropy_bits_per_byte) entropy = *facts.entropy_bits_per_byte;
  json::object object{{"name", facts.name},
                      {"sha256", facts.sha256},
                      {"bytes", facts.stats.bytes},
                      {"high_bytes", facts.stats.high_bytes},
                      {"control_bytes", facts.stats.control_bytes},
                      {"entropy_bits_per_byte", std::move(entropy)},
                      {"notes", std::move(notes)}};
  if (facts.documents) {
    object["documents"] = *facts.documents;
    object["documents_sha256"] = facts.documents_sha256;
  }
  if (!facts.part_ends.empty()) object["part_ends"] = json::array(facts.part_ends.begin(), facts.part_ends.end());
  return object;
}

std::optional<CorpusFacts> facts_from_json(const json::object& object) {
  CorpusFacts facts;
  facts.name = string_or(object, "name", "");
  facts.sha256 = string_or(object, "sha256", "");
  const auto count = [&](const char* key) { return static_cast<uint64_t>(integer_or(object, key, 0)); };
  facts.stats = {count("bytes"), count("high_bytes"), count("control_bytes")};
  if (facts.sha256.size() != 64 || facts.stats.bytes == 0) return std::nullopt;
  if (const json::value* entropy = object.if_contains("entropy_bits_per_byte");
      entropy != nullptr && entropy->is_number())
    facts.entropy_bits_per_byte = entropy->to_number<double>();
  if (const json::value* notes = object.if_contains("notes"); notes != nullptr && notes->is_array())
    for (const json::value& note : notes->get_array())
      if (note.is_string()) facts.notes.emplace_back(note.get_string());
  if (object.contains("documents")) facts.documents = count("documents");
  facts.documents_sha256 = string_or(object, "documents_sha256", "");
  if (const json::value* ends = object.if_contains("part_ends"); ends != nullptr && ends->is_array())
    for (const json::value& end : ends->get_array()) {
      if (!end.is_int64()) return std::nullopt;
      facts.part_ends.push_back(static_cast<uint64_t>(end.get_int64()));
    }
  return facts;
}

std::optional<json::object> read_document(const fs::path& path) try {
  if (!fs::is_regular_file(path)) return std::nullopt;
  auto document = try_parse_json(read_file(path, document_limit_bytes));
  if (!document || !document->is_object()) return std::nullopt;
  return std::move(document->get_object());
} catch (const std::exception&) {
  return std::nullopt;
}

void remove_abandoned(const fs::path& folder) {
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with("building-") || !name.ends_with(".tmp")) continue;
    std::error_code gone;
    const auto written = entry->last_write_time(gone);
    if (!gone && fs::file_time_type::clock::now() - written > abandoned_after) fs::remove(entry->path(), gone);
  }
}

}  // namespace

std::string CorpusFacts::content() const {
  if (part_ends.empty()) return sha256;
  std::string parts = sha256;
  for (const uint64_t end : part_ends) parts += fmt::format(" {}", end);
  return sha256_hex(parts);
}

void TextScan::add(std::span<const uint8_t> text) {
  hash_.update(text.data(), text.size());
  stats_.add(text);
}

void TextScan::end_document(uint64_t end) {
  ++documents_;
  ends_hash_.update(&end, sizeof(end));
}

void TextScan::finish(CorpusFacts& facts) {
  facts.sha256 = hash_.hex();
  facts.stats = std::exchange(stats_, {});
  facts.documents = std::max<uint64_t>(1, documents_);
  const std::string ends = ends_hash_.hex();
  facts.documents_sha256 = documents_ > 1 ? ends : "";
  documents_ = 0;
}

std::optional<json::object> CorpusCache::load(const std::string& kind, const std::string& key) const {
  auto document = read_document(folder_ / (kind + "-" + key.substr(0, 12) + ".json"));
  if (!document || string_or(*document, "key", "") != key) return std::nullopt;
  return document;
}

void CorpusCache::save(const std::string& kind, const std::string& key, json::object document) const try {
  document["key"] = key;
  make_folder(folder_);
  write_file_atomic(folder_ / (kind + "-" + key.substr(0, 12) + ".json"), pretty_json(document) + "\n");
} catch (const Error&) {
}

std::optional<CorpusFacts> CorpusCache::remembered(const std::string& fingerprint) const {
  const auto document = load("sources", fingerprint);
  return document ? facts_from_json(*document) : std::nullopt;
}

void CorpusCache::remember(const std::string& fingerprint, const CorpusFacts& facts) const {
  save("sources", fingerprint, to_json(facts));
}

std::optional<CorpusCache::Found> CorpusCache::find(const std::string& sha256) const {
  const auto document = read_document(facts_path(folder_, sha256));
  auto facts = document ? facts_from_json(*document) : std::nullopt;
  if (!facts || facts->sha256 != sha256) return std::nullopt;
  try {
    MappedFile map(text_path(folder_, sha256));
    if (map.bytes().size() != facts->stats.bytes) return std::nullopt;
    return Found{std::move(*facts), std::move(map)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<MappedFile> CorpusCache::find_ends(const std::string& documents_sha256) const try {
  MappedFile map(ends_path(folder_, documents_sha256));
  Sha256 hash;
  hash.update(map.bytes().data(), map.bytes().size());
  return hash.hex() == documents_sha256 ? std::optional(std::move(map)) : std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

CorpusWriter::CorpusWriter(const CorpusCache& cache, const std::string& corpus_name, uint64_t expected_bytes)
    : folder_(cache.folder()) {
  make_folder(folder_);
  remove_abandoned(folder_);
  if (const uint64_t free = free_bytes(folder_); free < expected_bytes)
    throw Error(ErrorKind::environment,
                fmt::format("corpus '{}' takes {} in '{}', where {} are free: make room, or choose another --root",
                            corpus_name, format_bytes(static_cast<double>(expected_bytes)), folder_.string(),
                            format_bytes(static_cast<double>(free))));
  text_ = begin_file();
  buffer_.reserve(buffer_bytes);
}

CorpusWriter::~CorpusWriter() {
  for (const Growing* growing : {&text_, &ends_})
    if (!growing->path.empty()) ::unlink(growing->path.c_str());
}

CorpusWriter::Growing CorpusWriter::begin_file() const {
  static std::atomic<uint64_t> counter{0};
  Growing growing;
  while (!growing.file) {
    // O_EXCL, because another machine may write into the same folder under the same process number.
    growing.path = folder_ / fmt::format("building-{}-{}.tmp", ::getpid(), counter++);
    growing.file = Fd(::open(growing.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!growing.file && errno != EEXIST)
      throw Error(ErrorKind::environment,
                  fmt::format("cannot write in '{}': {}", folder_.string(), std::strerror(errno)));
  }
  return growing;
}

void CorpusWriter::flush() {
  scan_.add(buffer_);
  write_all(text_.file.get(), {reinterpret_cast<const char*>(buffer_.data()), buffer_.size()}, text_.path);
  buffer_.clear();
}

void CorpusWriter::add(std::span<const uint8_t> text) {
  bytes_ += text.size();
  while (!text.empty()) {
    const auto part = text.first(std::min(text.size(), buffer_bytes - buffer_.size()));
    buffer_.insert(buffer_.end(), part.begin(), part.end());
    text = text.subspan(part.size());
    if (buffer_.size() == buffer_bytes) flush();
  }
}

void CorpusWriter::end_document() {
  scan_.end_document(bytes_);
  const auto append = [&](uint64_t end) { ends_buffer_.append(reinterpret_cast<const char*>(&end), sizeof(end)); };
  if (++documents_ == 1) {
    first_end_ = bytes_;
    return;
  }
  if (documents_ == 2) {
    ends_ = begin_file();
    append(first_end_);
  }
  append(bytes_);
  if (ends_buffer_.size() >= buffer_bytes) flush_ends();
}

void CorpusWriter::flush_ends() {
  write_all(ends_.file.get(), ends_buffer_, ends_.path);
  ends_buffer_.clear();
}

void CorpusWriter::put_in_place(Growing& growing, const fs::path& path) const {
  const auto system = [&](const char* what) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot {} '{}': {}", what, growing.path.string(), std::strerror(errno)));
  };
  if (::fsync(growing.file.get()) != 0) system("sync");
  if (::rename(growing.path.c_str(), path.c_str()) != 0) system("rename");
  growing.path.clear();
}

MappedFile CorpusWriter::finish(CorpusFacts& facts) {
  flush();
  scan_.finish(facts);
  MappedFile map(text_.path);
  put_in_place(text_, text_path(folder_, facts.sha256));
  if (documents_ > 1) {
    flush_ends();
    put_in_place(ends_, ends_path(folder_, facts.documents_sha256));
  }
  // The facts come last: a text without them is not looked at.
  write_file_atomic(facts_path(folder_, facts.sha256), pretty_json(to_json(facts)) + "\n");
  return map;
}

}  // namespace bitsweep::data
