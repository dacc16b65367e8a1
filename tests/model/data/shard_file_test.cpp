#include "data/shard_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/files.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ShardFileTest : public TempFolder {
 protected:
  fs::path shard(int width, const std::vector<uint32_t>& tokens) {
    const fs::path path = root / fmt::format("{}.bin", made_++);
    ShardWriter writer(path, width);
    writer.add(tokens);
    EXPECT_FALSE(fs::exists(path));
    writer.finish({.store = 7, .text_bytes = 8, .token_bytes = 9});
    return path;
  }
  int made_ = 0;
  static std::vector<uint32_t> read(const ShardFile& file) {
    std::vector<uint32_t> out;
    std::visit([&](auto tokens) { out.assign(tokens.begin(), tokens.end()); }, file.tokens());
    return out;
  }
};

TEST_F(ShardFileTest, are_the_files_of_llm_c) {
  const std::string narrow = read_file(shard(2, {1, 65535, 0}));
  EXPECT_EQ(narrow.size(), 1024u + 6);
  int32_t words[3];
  std::memcpy(words, narrow.data(), sizeof(words));
  EXPECT_THAT(words, ElementsAre(20240520, 1, 3));
  EXPECT_EQ(narrow.substr(1024), std::string("\1\0\xff\xff\0\0", 6));
  const std::string wide = read_file(shard(4, {70000}));
  std::memcpy(words, wide.data(), sizeof(words));
  EXPECT_THAT(words, ElementsAre(20240801, 7, 1));
  EXPECT_EQ(wide.size(), 1024u + 4);
}

TEST_F(ShardFileTest, come_back_as_they_were_written) {
  const ShardFile narrow(shard(2, {1, 2, 65535}));
  EXPECT_THAT(read(narrow), ElementsAre(1, 2, 65535));
  EXPECT_EQ(narrow.origin().store, 7u);
  EXPECT_EQ(narrow.origin().text_bytes, 8u);
  EXPECT_EQ(narrow.origin().token_bytes, 9u);
  EXPECT_THAT(read(ShardFile(shard(4, {3, 4'000'000}))), ElementsAre(3, 4'000'000));
  EXPECT_EQ(ShardFile(shard(2, {})).size(), 0u);
}

TEST_F(ShardFileTest, torn_and_foreign_ones_are_refused) {
  const std::string whole = read_file(shard(2, {1, 2, 3}));
  const auto refusal = [&](const std::string& bytes) {
    return std::string(error_of([&] { ShardFile(write("b.bin", bytes)); }).what());
  };
  EXPECT_THAT(refusal(whole.substr(0, whole.size() - 1)),
              HasSubstr("a shard of 3 tokens of 16 bits, cut off: 1,029 bytes instead of 1,030"));
  EXPECT_THAT(refusal(whole + "x"), HasSubstr("with something behind them"));
  EXPECT_THAT(refusal(whole.substr(0, 600)), HasSubstr("cut off"));
  EXPECT_THAT(refusal("text"), HasSubstr("no shard of tokens"));
}

// Written in several parts and read in one.
TEST_F(ShardFileTest, a_large_one_is_undamaged) {
  std::vector<uint32_t> tokens(1'300'001);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<uint32_t>(i * 7919 % 65536);
  for (const int width : {2, 4}) EXPECT_TRUE(ShardFile(shard(width, tokens)).is_undamaged()) << width;
}

TEST_F(ShardFileTest, any_flipped_bit_is_damage) {
  std::vector<uint32_t> tokens(37);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<uint32_t>(i * 7919 % 65536);
  const std::string whole = read_file(shard(2, tokens));
  const auto damage = [&](size_t from, size_t to) {
    for (size_t bit = 8 * from; bit < 8 * to; ++bit) {
      std::string bytes = whole;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      EXPECT_FALSE(ShardFile(write("b.bin", bytes)).is_undamaged()) << bit;
    }
  };
  damage(512, 512 + sizeof(ShardOrigin));
  damage(shard_header_bytes, whole.size());
}

TEST_F(ShardFileTest, one_that_is_not_finished_leaves_nothing) {
  { ShardWriter(root / "c.bin", 2).add(std::vector<uint32_t>(1'000'000, 1)); }
  EXPECT_TRUE(names("").empty());
}

}  // namespace
}  // namespace bitsweep::data
