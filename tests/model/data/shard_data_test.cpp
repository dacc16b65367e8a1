// Shards of tokens that another program made: read as they are, with bytes where the tokenizer is known.
#include "data/shard_data.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data/dataset.h"
#include "data/shard_file.h"
#include "temp_folder.h"
#include "tokenize/open.h"

namespace bitsweep::data {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

class ShardDataTest : public TempFolder {
 protected:
  ShardDataTest() : tokenizer_(tokenize::open_tokenizer(golden())) {}

  static std::string golden() { return std::string(BITSWEEP_SOURCE_DIR) + "/tests/model/tokenize/goldens/gpt2.json"; }

  void shard(const std::string& name, const std::vector<uint32_t>& ids, int width = 2) {
    ShardWriter writer(root / name, width);
    writer.add(ids);
    writer.finish({});
    std::filesystem::last_write_time(root / name,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::seconds(60));
  }
  std::vector<uint32_t> encoded(const std::string& text) const { return tokenizer_->encode(text); }

  // Two training shards of both widths, one to validate on.
  spec::DataSpec made() {
    shard("web_train_0.bin", encoded(train_.substr(0, 40'000)));
    shard("web_train_1.bin", encoded(train_.substr(40'000)), 4);
    shard("web_val_0.bin", encoded(val_));
    return spec();
  }
  spec::DataSpec spec() const {
    spec::DataSpec data;
    data.shards = {(root / "web_train_*.bin").string(), (root / "web_val_*.bin").string()};
    data.tokenizer = golden();
    data.context = 32;
    return data;
  }
  Dataset open(const spec::DataSpec& data) const { return Dataset::open(data, root / "cache"); }
  std::string refusal(const spec::DataSpec& data) const {
    return error_of([&] { open(data); }).what();
  }

  std::shared_ptr<const tokenize::Tokenizer> tokenizer_;
  static std::string words(size_t bytes) {
    std::string text;
    for (int i = 0; text.size() < bytes; ++i) text += fmt::format("this is the text number {} and more\n", i * 7919);
    text.resize(bytes);
    return text;
  }
  std::string train_ = words(100'000), val_ = words(20'000);
};

TEST_F(ShardDataTest, are_read_as_they_are) {
  const Dataset data = open(made());
  const DatasetInfo& info = data.info();
  EXPECT_EQ(info.name, "web_train_*.bin");
  EXPECT_EQ(info.bytes, 120'000u);
  EXPECT_EQ(info.train_tokens,
            static_cast<int64_t>(encoded(train_.substr(0, 40'000)).size() + encoded(train_.substr(40'000)).size()));
  EXPECT_EQ(info.val_tokens, static_cast<int64_t>(encoded(val_).size()));
  EXPECT_EQ(info.vocab, tokenizer_->vocab());
  EXPECT_DOUBLE_EQ(info.bytes_per_token * static_cast<double>(info.train_tokens), 100'000);
  EXPECT_DOUBLE_EQ(data.bytes_per_train_token(), info.bytes_per_token);
  // What is trained on stands in the text.
  std::vector<int32_t> ids(static_cast<size_t>(50 * 33));
  data.sequences(1, 0, 50, std::span<int32_t>(ids));
  for (size_t at = 0; at < ids.size(); at += 33) {
    const std::vector<tokenize::TokenId> row(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                             ids.begin() + static_cast<std::ptrdiff_t>(at) + 33);
    EXPECT_THAT(train_, HasSubstr(tokenizer_->decode(row)));
  }
  // A plan tells the same, and writes nothing.
  const DatasetInfo told = Dataset::inspect(spec(), root / "elsewhere");
  EXPECT_EQ(to_json(told), to_json(info));
  EXPECT_FALSE(std::filesystem::exists(root / "elsewhere"));
}

TEST_F(ShardDataTest, stand_for_text) {
  const Dataset data = open(made());
  EXPECT_TRUE(data.knows_text());
  EXPECT_EQ(text_of(data.train_text()), train_);
  EXPECT_EQ(text_of(data.val_text()), val_);
  const ValidationWindows windows = data.validation(8);
  EXPECT_EQ(windows.targets(0, windows.count()), 8 * 32);
  EXPECT_GT(windows.target_bytes(0, windows.count()), 8 * 32);
  spec::EvalSpec eval;
  eval.bytes = 20'000;
  const ValidationWindows stretches = data.validation(eval);
  EXPECT_EQ(stretches.target_bytes(0, stretches.count()), 20'000);
  EXPECT_GT(data.yardsticks({}, {20'000}).stretches.at(0).bits_per_byte[0], 1);
}

TEST_F(ShardDataTest, documents_end_where_their_tokens_say) {
  const uint32_t eos = tokenizer_->facts().eos.value();
  std::vector<uint32_t> ids{eos};
  for (int i = 0; i < 100; ++i) {
    const auto one = encoded(fmt::format("A text that is number {}.\n", i));
    ids.insert(ids.end(), one.begin(), one.end());
    ids.push_back(eos);
  }
  shard("web_train_0.bin", ids);
  shard("web_val_0.bin", ids);
  const Dataset data = open(spec());
  EXPECT_THAT(text_of(data.train_text()), AllOf(HasSubstr("number 1.\nA text"), HasSubstr("number 99.\n")));
  EXPECT_EQ(data.info().bytes, 2 * data.train_text().size());
}

// Losses are then of tokens.
TEST_F(ShardDataTest, of_an_unknown_vocabulary_count_tokens) {
  spec::DataSpec data = made();
  data.tokenizer = "none";
  data.vocab_rows = 60'000;
  const Dataset tokens = open(data);
  EXPECT_FALSE(tokens.knows_text());
  EXPECT_EQ(tokens.tokenizer(), nullptr);
  EXPECT_EQ(tokens.info().vocab, 60'000);
  EXPECT_EQ(tokens.bytes_per_train_token(), 1);
  EXPECT_EQ(tokens.width(), TokenWidth::int32);
  const ValidationWindows windows = tokens.validation(8);
  EXPECT_EQ(windows.target_bytes(0, 8), windows.targets(0, 8));
  EXPECT_THAT(tokens.info().notes, Contains(HasSubstr("losses are bits per token")));
  EXPECT_THAT(error_of([&] { tokens.train_text(); }).what(), HasSubstr("nobody says what the tokens"));
  data.vocab_rows = 50;
  EXPECT_THAT(refusal(data), AllOf(HasSubstr("is beyond the vocabulary of 50"), HasSubstr("web_train_0.bin")));
}

TEST_F(ShardDataTest, bad_ones_are_refused) {
  spec::DataSpec data = made();
  data.shards.train = (root / "wbe_*").string();
  EXPECT_THAT(refusal(data), AllOf(HasSubstr("data.corpus.train"), HasSubstr("matches none of the 3 files")));
  data = spec();
  data.shards.val = (root / "nowhere.bin").string();
  EXPECT_THAT(refusal(data), AllOf(HasSubstr("data.corpus.val"), HasSubstr("nowhere.bin")));
  data.shards.val = data.shards.train;
  EXPECT_THAT(refusal(data), HasSubstr("both to train on and to validate on"));
  write("web_val_1.bin", "some text");
  EXPECT_THAT(refusal(spec()), HasSubstr("web_val_1.bin' is no shard of tokens"));
  std::filesystem::remove(root / "web_val_1.bin");
  const std::string whole = read_file(root / "web_val_0.bin");
  write("web_val_0.bin", whole.substr(0, whole.size() - 1));
  EXPECT_THAT(refusal(spec()), HasSubstr("cut off"));
  shard("web_val_0.bin", {1, 2, 60'000});
  EXPECT_THAT(refusal(spec()), AllOf(HasSubstr("token 60000 at 2 is beyond the vocabulary"), HasSubstr("web_val_0")));
  shard("web_val_0.bin", {1, 2, 3});
  EXPECT_THAT(refusal(spec()), HasSubstr("too short"));
}

TEST_F(ShardDataTest, that_changed_since_the_plan_are_refused) {
  spec::DataSpec planned = made();
  planned.sha256 = open(planned).info().sha256;
  EXPECT_EQ(open(planned).info().sha256, planned.sha256);
  auto ids = encoded(val_);
  ids[5] = ids[6];
  shard("web_val_0.bin", ids);
  EXPECT_THAT(refusal(planned), HasSubstr("no longer the shards that the run was planned on"));
}

}  // namespace
}  // namespace bitsweep::data
