#include "data/shard_file.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/units.h"

namespace bitsweep::data {
namespace {

static_assert(std::endian::native == std::endian::little, "shards are read and written as they lie in memory");

constexpr int32_t kNarrowMagic = 20240520, kNarrowVersion = 1, kWideMagic = 20240801, kWideVersion = 7;
constexpr size_t kOriginOffset = 512;
constexpr size_t kBufferBytes = 1 << 20;  // a multiple of 32, as ShardSum wants it

template <class T>
T read_at(std::span<const uint8_t> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

}  // namespace

std::optional<ShardForm> shard_form(std::span<const uint8_t> head) {
  if (head.size() < 12) return std::nullopt;
  const auto magic = read_at<int32_t>(head, 0), version = read_at<int32_t>(head, 4);
  const bool narrow = magic == kNarrowMagic && version == kNarrowVersion;
  if (!narrow && !(magic == kWideMagic && version == kWideVersion)) return std::nullopt;
  return ShardForm{read_at<uint32_t>(head, 8), narrow ? 2 : 4};
}

void ShardSum::mix(size_t lane, uint64_t word) {
  lanes_[lane] = std::rotl(lanes_[lane] ^ word, 29) * UINT64_C(0x9E3779B97F4A7C15);
}

void ShardSum::add(std::span<const uint8_t> tokens) {
  constexpr size_t block = sizeof(lanes_);
  size_t at = 0;
  for (; at + block <= tokens.size(); at += block)
    for (size_t lane = 0; lane < lanes_.size(); ++lane) mix(lane, read_at<uint64_t>(tokens, at + 8 * lane));
  if (at == tokens.size()) return;
  std::array<uint8_t, block> last{};
  std::copy(tokens.begin() + static_cast<std::ptrdiff_t>(at), tokens.end(), last.begin());
  add(last);
}

uint64_t ShardSum::with(const ShardOrigin& origin, uint64_t tokens) const {
  ShardSum all;
  for (const uint64_t word : {origin.store, origin.text_bytes, origin.token_bytes, tokens}) all.mix(0, word);
  for (const uint64_t lane : lanes_) all.mix(0, lane);
  return std::max<uint64_t>(1, all.lanes_[0]);
}

ShardFile::ShardFile(const fs::path& path) : path_(path), map_(path) {
  const std::span<const uint8_t> bytes = map_.bytes();
  const auto form = shard_form(bytes);
  if (!form) throw Error(ErrorKind::input, fmt::format("'{}' is no shard of tokens", path.string()));
  form_ = *form;
  if (bytes.size() != form_.file_bytes())
    throw Error(ErrorKind::input,
                fmt::format("'{}' is a shard of {} tokens of {} bits, {}: {} bytes instead of {}", path.string(),
                            format_thousands(static_cast<int64_t>(form_.tokens)), 8 * form_.width,
                            bytes.size() < form_.file_bytes() ? "cut off" : "with something behind them",
                            format_thousands(static_cast<int64_t>(bytes.size())),
                            format_thousands(static_cast<int64_t>(form_.file_bytes()))));
  origin_ = read_at<ShardOrigin>(bytes, kOriginOffset);
}

std::variant<std::span<const uint16_t>, std::span<const uint32_t>> ShardFile::tokens() const {
  const uint8_t* first = map_.bytes().data() + shard_header_bytes;  // a page's begin and 1,024 bytes: aligned
  if (form_.width == 2) return std::span(reinterpret_cast<const uint16_t*>(first), form_.tokens);
  return std::span(reinterpret_cast<const uint32_t*>(first), form_.tokens);
}

bool ShardFile::is_undamaged() const {
  ShardSum sum;
  sum.add(map_.bytes().subspan(shard_header_bytes));
  return origin_.sum == sum.with(origin_, form_.tokens);
}

ShardWriter::ShardWriter(fs::path path, int width) : path_(std::move(path)), width_(width) {
  static std::atomic<uint64_t> counter{0};
  while (!file_) {
    // O_EXCL, because another machine may write into the same folder under the same process number.
    temporary_ = path_.parent_path() / fmt::format("building-{}-{}.tmp", ::getpid(), counter++);
    file_ = Fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file_ && errno != EEXIST)
      throw Error(ErrorKind::environment,
                  fmt::format("cannot write in '{}': {}", path_.parent_path().string(), std::strerror(errno)));
  }
  write_all(file_.get(), std::string(shard_header_bytes, '\0'), temporary_);
}

ShardWriter::~ShardWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void ShardWriter::flush() {
  sum_.add({reinterpret_cast<const uint8_t*>(buffer_.data()), buffer_.size()});
  write_all(file_.get(), buffer_, temporary_);
  buffer_.clear();
}

void ShardWriter::add(std::span<const uint32_t> tokens) {
  tokens_ += tokens.size();
  for (const uint32_t token : tokens) {
    buffer_.append(reinterpret_cast<const char*>(&token), static_cast<size_t>(width_));
    if (buffer_.size() >= kBufferBytes) flush();
  }
}

void ShardWriter::finish(ShardOrigin origin) {
  flush();
  origin.sum = sum_.with(origin, tokens_);
  std::string header(shard_header_bytes, '\0');
  const int32_t words[3] = {width_ == 2 ? kNarrowMagic : kWideMagic, width_ == 2 ? kNarrowVersion : kWideVersion,
                            static_cast<int32_t>(tokens_)};
  std::memcpy(header.data(), words, sizeof(words));
  std::memcpy(header.data() + kOriginOffset, &origin, sizeof(origin));
  const auto system = [&](const char* what) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot {} '{}': {}", what, temporary_.string(), std::strerror(errno)));
  };
  if (::pwrite(file_.get(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size())) system("write");
  if (::fsync(file_.get()) != 0) system("sync");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) system("rename");
  temporary_.clear();
}

}  // namespace bitsweep::data
