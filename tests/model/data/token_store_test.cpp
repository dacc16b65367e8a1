// A text's tokens in files: that they are the text's, come back after a stop, and do not depend on how they were made.
#include <fstream>
#include <regex>

#include <gmock/gmock.h>

#include "base/files.h"
#include "data/dataset.h"
#include "data/shard_file.h"
#include "data/token_plan.h"
#include "token_store_fixture.h"
#include "tokenize/open.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What all shards decode to is the text, split as that of bytes is.
TEST_F(TokenStoreTest, holds_the_text) {
  const spec::DataSpec data = numbered();
  const Dataset tokens = open(data);
  spec::DataSpec bytes_spec = data;
  bytes_spec.tokenizer = "bytes256";
  const Dataset bytes = open(bytes_spec);
  EXPECT_EQ(tokens.split().val, bytes.split().val);
  EXPECT_EQ(tokens.info().val_sha256, bytes.info().val_sha256);
  EXPECT_EQ(tokens.info().sha256, bytes.info().sha256);
  const auto tokenizer = tokenize::open_tokenizer(data.tokenizer);
  std::string text;
  uint64_t count = 0;
  for (int i = 0; fs::exists(folder() / fmt::format("{:06}.bin", i)); ++i) {
    const ShardFile shard(folder() / fmt::format("{:06}.bin", i));
    count += shard.size();
    const auto ids = std::get<std::span<const uint16_t>>(shard.tokens());
    text += tokenizer->decode(std::vector<tokenize::TokenId>(ids.begin(), ids.end()));
  }
  std::string expected;
  for (const auto* side : {&bytes.split().train, &bytes.split().val})
    for (const Segment& segment : *side) expected += text_of(bytes.train_text().subspan(segment.begin, segment.size()));
  EXPECT_EQ(text, expected);
  EXPECT_EQ(tokens.info().train_tokens + tokens.info().val_tokens, static_cast<int64_t>(count));
  EXPECT_NEAR(tokens.bytes_per_train_token() * static_cast<double>(tokens.info().train_tokens), 190'000, 1);
  EXPECT_EQ(tokens.info().vocab, 384);
  EXPECT_EQ(tokens.info().unknown_bytes, 0u);
}

TEST_F(TokenStoreTest, is_the_same_with_any_number_of_threads) {
  const spec::DataSpec data = numbered();
  const std::string one = (open(data, 1), shards(folder()));
  fs::remove_all(root / "cache");
  const std::string three = (open(data, 3), shards(folder()));
  EXPECT_EQ(one, three);
}

TEST_F(TokenStoreTest, goes_on_where_a_build_was_stopped) {
  const spec::DataSpec data = numbered();
  open(data);
  const fs::path of = folder();
  const std::string whole = shards(of);
  const auto kept = fs::last_write_time(of / "000000.bin");
  fs::remove(of / "index.json");
  fs::remove(of / "000002.bin");
  std::string torn = read_file(of / "000003.bin");
  write_file_atomic(of / "000003.bin", torn.substr(0, torn.size() - 2));
  write_file_atomic(of / "000002.bin.tmp1-1", "left of a crash");
  open(data);
  EXPECT_EQ(shards(of), whole);
  EXPECT_EQ(fs::last_write_time(of / "000000.bin"), kept);
  EXPECT_FALSE(fs::exists(of / "000002.bin.tmp1-1"));
}

TEST_F(TokenStoreTest, is_made_again_where_it_is_damaged_or_gone) {
  const spec::DataSpec data = numbered();
  open(data);
  const fs::path of = folder();
  const std::string whole = shards(of);
  fs::remove(of / "000001.bin");
  open(data);
  EXPECT_EQ(shards(of), whole);
  write_file_atomic(of / "index.json", "{");
  write_file_atomic(of / "000002.bin", "no shard");
  open(data);
  EXPECT_EQ(shards(of), whole);
}

// A token that is another valid one, and one that would index beside the embedding.
TEST_F(TokenStoreTest, a_changed_token_is_found_and_made_again) {
  const spec::DataSpec data = numbered();
  open(data);
  const fs::path of = folder();
  const std::string whole = shards(of);
  const uint64_t place = shard_header_bytes + 2 * 5;
  for (const char* token : {"\x07\x01", "\xff\xff"}) {
    std::string bytes = read_file(of / "000001.bin");
    ASSERT_NE(bytes.substr(place, 2), std::string(token, 2));
    bytes.replace(place, 2, token, 2);
    write_file_atomic(of / "000001.bin", bytes);
    EXPECT_TRUE(Dataset::inspect(data, root / "cache").to_build.has_value());
    CollectedNotes notes;
    Dataset::open(data, root / "cache", {.threads = 1, .notes = &notes});
    EXPECT_EQ(shards(of), whole);
    ASSERT_EQ(notes.all().size(), 1u);
    EXPECT_THAT(notes.all()[0].text, HasSubstr("000001.bin' is damaged"));
  }
}

TEST_F(TokenStoreTest, a_changed_count_of_bytes_is_found) {
  const spec::DataSpec data = numbered();
  open(data);
  const std::string whole = shards(folder());
  std::string bytes = read_file(folder() / "000000.bin");
  ++bytes[512 + 16];  // ShardOrigin::token_bytes
  write_file_atomic(folder() / "000000.bin", bytes);
  open(data);
  EXPECT_EQ(shards(folder()), whole);
}

// As one was before there were checksums: neither its shards nor its index have one.
TEST_F(TokenStoreTest, a_store_without_checksums_is_made_again) {
  const spec::DataSpec data = numbered();
  open(data);
  const std::string whole = shards(folder()), index = read_file(folder() / "index.json");
  std::string bytes = read_file(folder() / "000000.bin");
  bytes.replace(512 + 24, 8, 8, '\0');
  write_file_atomic(folder() / "000000.bin", bytes);
  write_file_atomic(folder() / "index.json", std::regex_replace(index, std::regex(R"(,\s*"sum": "\w+")"), ""));
  ASSERT_NE(read_file(folder() / "index.json"), index);
  EXPECT_TRUE(Dataset::inspect(data, root / "cache").to_build.has_value());
  open(data);
  EXPECT_EQ(shards(folder()), whole);
  EXPECT_EQ(read_file(folder() / "index.json"), index);
}

// Files whose attributes are those that were looked at are not read again; any change of them is.
TEST_F(TokenStoreTest, is_read_whole_once) {
  const spec::DataSpec data = numbered();
  open(data);
  const fs::path of = folder();
  open(data);
  EXPECT_FALSE(fs::exists(of / "checked.json"));  // too young for its attributes to tell
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& entry : fs::directory_iterator(of)) fs::last_write_time(entry.path(), old);
  Dataset::inspect(data, root / "cache");
  EXPECT_FALSE(fs::exists(of / "checked.json"));  // which writes nothing
  open(data);
  EXPECT_TRUE(fs::exists(of / "checked.json"));
  const std::string whole = shards(of);
  std::fstream file(of / "000001.bin", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(shard_header_bytes));
  file.write("\x07\x01", 2);
  file.close();
  ASSERT_NE(shards(of), whole);
  open(data);
  EXPECT_EQ(shards(of), whole);
}

TEST_F(TokenStoreTest, batches_are_windows_of_the_tokens) {
  const Dataset tokens = open(numbered());
  EXPECT_EQ(tokens.width(), TokenWidth::int32);
  std::vector<int32_t> batch(33 * 4), again(33 * 4);
  tokens.train_batch(1, 5, 4, std::span(batch));
  tokens.train_batch(1, 5, 4, std::span(again));
  EXPECT_EQ(batch, again);
  const std::string train = text_of(tokens.train_text());
  for (int w = 0; w < 4; ++w) {
    std::vector<tokenize::TokenId> ids(batch.begin() + 33 * w, batch.begin() + 33 * (w + 1));
    EXPECT_NE(train.find(tokens.tokenizer()->decode(ids)), std::string::npos) << w;
  }
}

TEST_F(TokenStoreTest, what_is_lost_is_told) {
  const Dataset tokens = open(numbered("unigram.model"));
  EXPECT_LT(tokens.info().bytes_kept, 1);
  EXPECT_GT(tokens.info().unknown_bytes, 0u);
  EXPECT_THAT(tokens.info().notes, testing::Contains(HasSubstr("of the 200,000 bytes of 'n.txt'")));
}

TEST_F(TokenStoreTest, inspect_estimates_and_then_knows) {
  const spec::DataSpec data = numbered();
  const DatasetInfo guess = Dataset::inspect(data, root / "cache");
  EXPECT_TRUE(names("cache").empty());
  ASSERT_TRUE(guess.to_build.has_value());
  const DatasetInfo known = open(data).info();
  EXPECT_NEAR(static_cast<double>(guess.train_tokens), static_cast<double>(known.train_tokens),
              0.02 * static_cast<double>(known.train_tokens));
  const DatasetInfo exact = Dataset::inspect(data, root / "cache");
  EXPECT_FALSE(exact.to_build.has_value());
  EXPECT_EQ(exact.train_tokens, known.train_tokens);
  EXPECT_EQ(exact.val_windows, known.val_windows);
  EXPECT_EQ(exact.tokenizer_sha256, known.tokenizer_sha256);
  EXPECT_EQ(exact.bytes_per_token, known.bytes_per_token);
}

// Of a folder there is no text to look into before it is put together: a sample is taken as it is read.
TEST_F(TokenStoreTest, inspect_estimates_texts_that_lie_in_many_files) {
  for (int i = 0; i < 40; ++i) write(fmt::format("c/{}", i), numbered_text(20'000));
  const DatasetInfo guess = Dataset::inspect(spec(root / "c"), root / "cache");
  EXPECT_TRUE(names("cache").empty());
  EXPECT_EQ(guess.documents, "bos");
  const DatasetInfo known = open(spec(root / "c")).info();
  EXPECT_NEAR(static_cast<double>(guess.train_tokens), static_cast<double>(known.train_tokens),
              0.02 * static_cast<double>(known.train_tokens));
  EXPECT_EQ(guess.documents_sha256, known.documents_sha256);
}

TEST_F(TokenStoreTest, the_tokenizer_that_was_planned_with_is_the_one_that_is_used) {
  spec::DataSpec data = numbered();
  data.tokenizer = (root / "t.json").string();
  fs::copy(golden("gpt2.json"), root / "t.json");
  data.tokenizer_sha256 = Dataset::inspect(data, root / "cache").tokenizer_sha256;
  EXPECT_NO_THROW(open(data));
  fs::copy(golden("llama3.json"), root / "t.json", fs::copy_options::overwrite_existing);
  EXPECT_THAT(error_of([&] { open(data); }).what(), HasSubstr("no longer the tokenizer that the run was planned with"));
}

// The split is of bytes, and half a character would be none.
TEST_F(TokenStoreTest, characters_that_the_split_cuts_are_kept_whole) {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += fmt::format("\u0441\u043b\u043e\u0432\u043e {}\n", i);
  spec::DataSpec data = spec(write("ru.txt", text));
  data.tokenizer.clear();
  data.recipe = {.kind = "bpe", .vocab = 300};
  const DatasetInfo info = open(data).info();
  EXPECT_EQ(info.unknown_bytes, 0u);
  EXPECT_EQ(info.bytes_kept, 1);
}

TEST_F(TokenStoreTest, a_tokenizer_is_trained_on_the_training_side_alone) {
  spec::DataSpec data = numbered();
  data.tokenizer.clear();
  data.recipe = {.kind = "bpe", .vocab = 300};
  const DatasetInfo guess = Dataset::inspect(data, root / "cache");
  EXPECT_EQ(guess.vocab, 300);
  EXPECT_EQ(guess.train_tokens, 0);
  EXPECT_TRUE(guess.to_build.has_value());
  const Dataset tokens = open(data);
  EXPECT_EQ(tokens.info().tokenizer_sha256, guess.tokenizer_sha256);
  EXPECT_EQ(tokens.info().vocab, 300);
  EXPECT_EQ(tokens.info().unknown_bytes, 0u);
  EXPECT_GT(tokens.info().bytes_per_token, 1.2);
  const std::string whole = shards(folder());
  // The same text and recipe give the same tokenizer, and another recipe another name.
  fs::remove_all(root / "cache");
  open(data);
  EXPECT_EQ(shards(folder()), whole);
  data.recipe.vocab = 310;
  EXPECT_NE(Dataset::inspect(data, root / "cache").tokenizer_sha256, guess.tokenizer_sha256);
  data.recipe = {.kind = "bpe", .vocab = 100'000};
  EXPECT_THAT(error_of([&] { open(data); }).what(),
              HasSubstr("no bpe of 100,000 tokens could be trained on this text"));
}

TEST_F(TokenStoreTest, a_vocabulary_that_holds_no_more_than_characters_is_refused_in_words) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    for (char c = '!'; c <= '~'; ++c) text += c;
    text += '\n';
  }
  spec::DataSpec data = spec(write("c.txt", text));
  data.tokenizer.clear();
  for (const char* kind : {"bpe", "unigram"}) {
    data.recipe = {.kind = kind, .vocab = 300};
    const std::string why = error_of([&] { open(data); }).what();
    EXPECT_THAT(why, HasSubstr("holds 256 bytes, 3 control tokens and the text's characters, here 94"));
    EXPECT_THAT(why, HasSubstr("must be at least 353"));
  }
}

TEST_F(TokenStoreTest, a_text_that_is_too_short_in_tokens_is_refused) {
  std::string text;
  while (text.size() < 2'000) text += "the runs of the report and the ";
  spec::DataSpec data = spec(write("s.txt", text));
  data.context = 90;
  EXPECT_THAT(error_of([&] { open(data); }).what(), HasSubstr("tokens in one piece, but data.context 90 needs 91"));
}

}  // namespace
}  // namespace bitsweep::data
