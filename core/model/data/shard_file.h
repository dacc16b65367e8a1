// Files of tokens, in the form that llm.c reads and writes: 256 little-endian int32 (magic, version, tokens, …), then
// the tokens, 16 bits each (20240520, version 1) or 32 (20240801, version 7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/files.h"

namespace bitsweep::data {

inline constexpr uint64_t shard_header_bytes = 1024;

struct ShardForm {
  uint64_t tokens = 0;
  int width = 2;  // bytes a token
  uint64_t file_bytes() const { return shard_header_bytes + tokens * static_cast<uint64_t>(width); }
};

// What the first bytes of a file say; nothing when they are not a shard's.
std::optional<ShardForm> shard_form(std::span<const uint8_t> head);

// What a store knows of one of its shards, in the part of the header that llm.c leaves alone.
struct ShardOrigin {
  uint64_t store = 0;        // the first 8 bytes of the store's key
  uint64_t text_bytes = 0;   // of the text that it was made from
  uint64_t token_bytes = 0;  // that its tokens stand for
  uint64_t sum = 0;          // of the tokens and of what stands above (ShardSum); 0 in shards of others
};

// A checksum against damage, not against malice, at the speed of memory. One changed word always changes it: each step
// is a bijection of its lane.
class ShardSum {
 public:
  // The tokens as they lie in the file. All parts but the last hold a multiple of 32 bytes.
  void add(std::span<const uint8_t> tokens);
  // What stands in the header too; never 0.
  uint64_t with(const ShardOrigin& origin, uint64_t tokens) const;

 private:
  void mix(size_t lane, uint64_t word);
  std::array<uint64_t, 4> lanes_{1, 2, 3, 4};
};

// One mapped for reading.
class ShardFile {
 public:
  // Throws Error{input} for what is no shard, or is cut off or padded.
  explicit ShardFile(const fs::path& path);
  uint64_t size() const { return form_.tokens; }
  const fs::path& path() const { return path_; }
  const ShardOrigin& origin() const { return origin_; }
  // Reads all of it and holds it against the sum in its origin. False too for a shard that has none.
  bool is_undamaged() const;
  std::variant<std::span<const uint16_t>, std::span<const uint32_t>> tokens() const;

 private:
  fs::path path_;
  MappedFile map_;
  ShardForm form_;
  ShardOrigin origin_;
};

// Writes one. It is there whole, under its own name, after finish(), or not at all.
class ShardWriter {
 public:
  // Throws Error{environment} when the disk refuses, here and below.
  ShardWriter(fs::path path, int width);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  void add(std::span<const uint32_t> tokens);
  // Puts the sum into the origin itself.
  void finish(ShardOrigin origin);

 private:
  void flush();

  fs::path path_, temporary_;  // temporary_ "" once it is in place
  Fd file_;
  int width_;
  uint64_t tokens_ = 0;
  std::string buffer_;
  ShardSum sum_;
};

}  // namespace bitsweep::data
