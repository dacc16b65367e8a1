#include "data/token_store.h"

#include <sys/file.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fcntl.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"
#include "data/shard_file.h"
#include "data/stored_tokens.h"

namespace bitsweep::data {
namespace {

constexpr int kFormat = 1;
constexpr int64_t kMostNarrow = 65536;  // vocabularies whose ids fit into 16 bits
// Of the text, to know what its tokens take: a small part, since one thread alone reads it.
constexpr uint64_t kEstimatePieces = 64, kEstimatePart = 256, kFewestEstimateBytes = 64 << 10,
                   kMostEstimateBytes = 1 << 20;
constexpr auto kTellEvery = std::chrono::seconds(2);

json::array segments_json(const std::vector<Segment>& segments) {
  json::array list;
  for (const Segment& segment : segments) list.push_back(json::array{segment.begin, segment.end});
  return list;
}

json::value id_json(const std::optional<tokenize::TokenId>& id) { return id ? json::value(*id) : json::value(nullptr); }

std::string key_of(const StoreSource& source) {
  return sha256_hex(canonical_json(json::object{{"format", kFormat},
                                                {"corpus", source.corpus_sha256},
                                                {"documents", source.documents_sha256},
                                                {"tokenizer", source.tokenizer_sha256},
                                                {"before", id_json(source.marks.before)},
                                                {"behind", id_json(source.marks.behind)},
                                                {"train", segments_json(source.split.train)},
                                                {"val", segments_json(source.split.val)}}));
}

int width_on_disk(const tokenize::Tokenizer& tokenizer) { return tokenizer.vocab() <= kMostNarrow ? 2 : 4; }

// The mark of a store in its shards.
uint64_t mark_of(const std::string& key) { return std::stoull(key.substr(0, 16), nullptr, 16); }

std::string sum_text(const ShardFile& shard) { return fmt::format("{:016x}", shard.origin().sum); }

bool is_checked(const fs::path& folder, const Sources& attributes) try {
  const auto checked = try_parse_json(read_file(folder / "checked.json"));
  return checked && checked->is_object() && string_or(checked->get_object(), "files", "") == attributes.fingerprint();
} catch (const Error&) {
  return false;
}

// Best effort: a folder that cannot be written costs another look.
void remember_checked(const fs::path& folder, const Sources& attributes) try {
  write_file_atomic(folder / "checked.json", pretty_json(json::object{{"files", attributes.fingerprint()}}) + "\n");
} catch (const Error&) {
}

// Held while it lives; free of effect where a filesystem has no locks.
class BuildLock {
 public:
  BuildLock(const fs::path& folder, Notes& notes) : file_(open_file(folder / "lock", O_RDWR | O_CREAT)) {
    bool told = false;
    while (!(held_ = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) && errno == EWOULDBLOCK) {
      if (!std::exchange(told, true))
        notes.progress(fmt::format("tokens: another process encodes this text; waiting for '{}'", folder.string()));
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  bool held() const { return held_; }

 private:
  Fd file_;
  bool held_ = false;
};

// Temporary files of shards (AtomicFile), as a killed build leaves them. REQUIRES the lock.
void remove_leftovers(const fs::path& folder) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code))
    if (entry.path().extension().string().starts_with(".tmp")) fs::remove(entry.path(), code);
}

// Work that threads take one by one, with what went wrong first.
class Workers {
 public:
  template <class Work>
  Workers(int threads, size_t jobs, Work work) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this, jobs, work]() mutable {
        try {
          for (size_t job; !failed_ && (job = next_++) < jobs;) work(job);
        } catch (...) {
          const std::lock_guard lock(mutex_);
          if (!failed_.exchange(true)) error_ = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        ++ended_;
        end_.notify_one();
      });
  }
  // Calls `tell` every now and then until all have ended; throws what one of them threw.
  template <class Tell>
  void wait(Tell tell) {
    {
      std::unique_lock lock(mutex_);
      while (!end_.wait_for(lock, kTellEvery, [&] { return ended_ == threads_.size(); })) tell();
    }
    for (std::thread& thread : threads_) thread.join();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::vector<std::thread> threads_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable end_;
  size_t ended_ = 0;
  std::exception_ptr error_;
};

}  // namespace

StoreEstimate estimate_store(const tokenize::Tokenizer& tokenizer, const std::vector<std::string_view>& sample,
                             uint64_t all) {
  const auto encoder = tokenizer.make_encoder();
  std::vector<tokenize::TokenId> ids;
  uint64_t bytes = 0, tokens = 0;
  const double begun_s = system_clock().monotonic_s();
  for (const std::string_view text : sample) {
    ids.clear();
    encoder->encode(text, ids);
    tokens += ids.size();
    bytes += text.size();
  }
  const double took_s = std::max(1e-6, system_clock().monotonic_s() - begun_s);
  StoreEstimate estimate{
      .tokens_per_byte = static_cast<double>(tokens) / static_cast<double>(std::max<uint64_t>(1, bytes)),
      .bytes_per_s = static_cast<double>(bytes) / took_s,
      .width = width_on_disk(tokenizer)};
  estimate.disk_bytes = estimate.tokens_per_byte * estimate.width * static_cast<double>(all);
  return estimate;
}

TokenStore::TokenStore(const fs::path& cache, StoreSource source)
    : source_(std::move(source)),
      width_(width_on_disk(*source_.tokenizer)),
      key_(key_of(source_)),
      folder_(cache / "tokens" /
              fmt::format("{:.12}-{:.12}-{:.8}", source_.corpus_sha256, source_.tokenizer_sha256, key_)) {
  const auto add = [&](const TextDocuments& text, const std::vector<Segment>& segments, bool train) {
    for (size_t i = 0; i < segments.size(); ++i)
      for (const Segment& piece : cut_pieces(text, {segments[i]})) pieces_.push_back({piece, train, i});
  };
  add(source_.train_text, source_.split.train, true);
  add(source_.val_text, source_.split.val, false);
}

fs::path TokenStore::shard_path(size_t piece) const { return folder_ / fmt::format("{:06}.bin", piece); }

bool TokenStore::is_there(size_t piece) const try {
  std::error_code code;
  if (!fs::exists(shard_path(piece), code)) return false;
  const ShardFile shard(shard_path(piece));
  return shard.origin().store == mark_of(key_) && shard.is_undamaged();
} catch (const Error&) {
  return false;
}

Sources TokenStore::files() const {
  Sources all;
  all.files.push_back(look_at(folder_ / "index.json"));
  for (size_t i = 0; i < pieces_.size(); ++i) all.files.push_back(look_at(shard_path(i)));
  return all;
}

std::optional<StoreFacts> TokenStore::find() const { return look(/*remember=*/false); }

std::optional<StoreFacts> TokenStore::look(bool remember) const try {
  std::error_code code;
  if (!fs::exists(folder_ / "index.json", code)) return std::nullopt;
  const auto index = try_parse_json(read_file(folder_ / "index.json"));
  if (!index || !index->is_object() || string_or(index->get_object(), "key", "") != key_) return std::nullopt;
  const json::value* shards = index->get_object().if_contains("shards");
  if (shards == nullptr || !shards->is_array() || shards->get_array().size() != pieces_.size()) return std::nullopt;
  const int64_t looked_ns = file_time_now_ns();
  const Sources attributes = files();
  const bool checked = is_checked(folder_, attributes);
  StoreFacts facts;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const ShardFile shard(shard_path(i));
    const json::value& listed = shards->get_array()[i];
    if (shard.origin().store != mark_of(key_) || !listed.is_object() ||
        string_or(listed.get_object(), "sum", "") != sum_text(shard))
      return std::nullopt;
    if (!checked && !shard.is_undamaged()) return std::nullopt;
    StoreSide& side = pieces_[i].train ? facts.train : facts.val;
    if (side.segments.size() == pieces_[i].of) side.segments.push_back({side.tokens, side.tokens});
    side.tokens += shard.size();
    side.segments.back().end = side.tokens;
    side.text_bytes += shard.origin().text_bytes;
    side.token_bytes += shard.origin().token_bytes;
    facts.disk_bytes += shard_header_bytes + shard.size() * static_cast<uint64_t>(width_);
  }
  if (remember && !checked && attributes.settled(looked_ns)) remember_checked(folder_, attributes);
  return facts;
} catch (const Error&) {
  return std::nullopt;  // missing, torn or another's: made again
}

StoreFacts TokenStore::build(int threads, Notes& notes) const {
  if (auto facts = look(/*remember=*/true)) return *facts;
  make_folder(folder_);
  const BuildLock lock(folder_, notes);
  if (auto facts = find()) return *facts;
  if (lock.held()) remove_leftovers(folder_);
  std::vector<size_t> missing;
  for (size_t i = 0; i < pieces_.size(); ++i)
    if (!is_there(i)) {
      missing.push_back(i);
      std::error_code code;
      if (fs::exists(shard_path(i), code))
        notes.note(
            fmt::format("tokens: '{}' is damaged, or of a build of before; it is made again", shard_path(i).string()));
    }
  build_missing(missing, threads, notes);
  return write_index();
}

void TokenStore::require_room(uint64_t bytes) const {
  std::vector<std::string_view> sample;
  const uint64_t limit = std::clamp(bytes / kEstimatePart, kFewestEstimateBytes, kMostEstimateBytes);
  for (const Segment& piece : sample_segments(source_.split.train, limit, kEstimatePieces))
    sample.emplace_back(reinterpret_cast<const char*>(source_.train_text.text.data()) + piece.begin, piece.size());
  const double needed = estimate_store(*source_.tokenizer, sample, bytes).disk_bytes;
  if (const auto free = static_cast<double>(free_bytes(folder_)); free < needed)
    throw Error(ErrorKind::environment,
                fmt::format("tokens take about {} in '{}', where {} are free: make room, or choose another --root",
                            format_bytes(needed), folder_.string(), format_bytes(free)));
}

void TokenStore::build_missing(const std::vector<size_t>& missing, int threads, Notes& notes) const {
  uint64_t bytes = 0;
  for (const size_t piece : missing) bytes += pieces_[piece].segment.size();
  require_room(bytes);
  std::atomic<uint64_t> done{0};
  Workers workers(std::clamp<int>(threads, 1, static_cast<int>(std::max<size_t>(1, missing.size()))), missing.size(),
                  [&, encoder = std::shared_ptr<tokenize::Encoder>()](size_t job) mutable {
                    if (encoder == nullptr) encoder = source_.tokenizer->make_encoder();
                    encode_piece(pieces_[missing[job]], shard_path(missing[job]), *encoder);
                    done += pieces_[missing[job]].segment.size();
                  });
  const double begun_s = system_clock().monotonic_s();
  workers.wait([&] {
    const double took_s = system_clock().monotonic_s() - begun_s,
                 share = static_cast<double>(done) / static_cast<double>(bytes);
    notes.progress(
        fmt::format("tokens: {:.0f} % of {}{}", 100 * share, format_bytes(static_cast<double>(bytes)),
                    share > 0 ? fmt::format(", about {} left", format_duration(took_s / share - took_s)) : ""));
  });
}

void TokenStore::encode_piece(const Piece& piece, const fs::path& path, tokenize::Encoder& encoder) const {
  ShardWriter writer(path, width_);
  const tokenize::ByteCounter counter(*source_.tokenizer);
  std::optional<tokenize::TokenId> last;
  std::vector<tokenize::TokenId> ids;
  ShardOrigin origin{.store = mark_of(key_), .text_bytes = piece.segment.size()};
  each_part(piece.train ? source_.train_text : source_.val_text, piece.segment, [&](const DocumentPart& part) {
    ids.clear();
    if (part.begins && source_.marks.before) ids.push_back(*source_.marks.before);
    encoder.encode(part.text, ids);
    if (part.ends && source_.marks.behind) ids.push_back(*source_.marks.behind);
    origin.token_bytes += counter.count(std::span<const tokenize::TokenId>(ids), last);
    if (!ids.empty()) last = ids.back();
    writer.add(ids);
  });
  writer.finish(origin);
}

StoreFacts TokenStore::write_index() const {
  json::array shards;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const ShardFile shard(shard_path(i));
    shards.push_back({{"file", shard.path().filename().string()},
                      {"split", pieces_[i].train ? "train" : "val"},
                      {"from", pieces_[i].segment.begin},
                      {"to", pieces_[i].segment.end},
                      {"tokens", shard.size()},
                      {"bytes", shard.origin().token_bytes},
                      {"sum", sum_text(shard)}});
  }
  const tokenize::TokenizerFacts& tokenizer = source_.tokenizer->facts();
  const json::object index{{"key", key_},
                           {"corpus_sha256", source_.corpus_sha256},
                           {"tokenizer", tokenizer.name},
                           {"tokenizer_sha256", source_.tokenizer_sha256},
                           {"vocab", tokenizer.vocab},
                           {"shards", std::move(shards)}};
  write_file_atomic(folder_ / "index.json", pretty_json(index) + "\n");
  return find().value();
}

std::shared_ptr<const TokenSource> TokenStore::open(bool train) const {
  std::vector<ShardFile> shards;
  for (size_t i = 0; i < pieces_.size(); ++i)
    if (pieces_[i].train == train) shards.emplace_back(shard_path(i));
  return std::make_shared<StoredTokens>(std::move(shards), source_.tokenizer->vocab(),
                                        std::make_shared<tokenize::ByteCounter>(*source_.tokenizer));
}

std::shared_ptr<const TokenSource> TokenStore::open_train() const { return open(true); }
std::shared_ptr<const TokenSource> TokenStore::open_val() const { return open(false); }

}  // namespace bitsweep::data
