// Where documents begin and end among tokens: marks, splits between them, and runs that keep what was planned.
#include <algorithm>

#include <gmock/gmock.h>

#include "compressed.h"
#include "data/shard_file.h"
#include "token_store_fixture.h"

namespace bitsweep::data {
namespace {

using testing::HasSubstr;

class TokenDocumentsTest : public TokenStoreTest {};

TEST_F(TokenDocumentsTest, documents_begin_with_bos) {
  const std::vector<std::string> texts{"one document", "another\n", "the third one"};
  std::vector<std::string> many;
  for (int i = 0; i < 900; ++i) many.push_back(texts[static_cast<size_t>(i) % 3]);
  const Dataset tokens = open(lines_of(many, "llama3.json"));
  EXPECT_EQ(tokens.info().documents, "bos");
  EXPECT_NE(tokens.info().documents_sha256, "");
  std::vector<tokenize::TokenId> ids;
  for (int i = 0; fs::exists(folder() / fmt::format("{:06}.bin", i)); ++i) {
    const ShardFile shard(folder() / fmt::format("{:06}.bin", i));
    const auto part = std::get<std::span<const uint16_t>>(shard.tokens());
    ids.insert(ids.end(), part.begin(), part.end());
  }
  const auto bos = static_cast<tokenize::TokenId>(*tokens.tokenizer()->facts().bos);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), bos), 900);
  // A newline was put behind those that had none, and counts as their text.
  EXPECT_EQ(tokens.tokenizer()->decode(ids).size(), 900u / 3 * (13 + 8 + 14));
}

TEST_F(TokenDocumentsTest, documents_end_with_eos_where_it_is_asked_for) {
  spec::DataSpec data = lines_of(std::vector<std::string>(600, "a text of its own"), "gpt2.json");
  data.documents = "eos";
  const Dataset tokens = open(data);
  EXPECT_EQ(tokens.info().documents, "eos");
  const ShardFile shard(folder() / "000000.bin");
  const auto ids = std::get<std::span<const uint16_t>>(shard.tokens());
  EXPECT_NE(ids.front(), 0);
  EXPECT_GT(std::count(ids.begin(), ids.end(), 0), 1);
  data.documents = "none";
  EXPECT_EQ(open(data).info().documents_sha256, "");
}

// What a worker gets is the plan's spec, written and read: none stays none, and each has a store of its own, whichever
// came first.
TEST_F(TokenDocumentsTest, a_planned_run_keeps_its_documents) {
  spec::DataSpec data = lines_of(std::vector<std::string>(600, "a text of its own"), "llama3.json");
  const auto planned = [&](const char* documents) {
    spec::RunSpec run;
    run.model.plugin = "llama";
    run.data = data;
    run.data.documents = documents;
    const DatasetInfo info = Dataset::inspect(run.data, root / "cache");
    run.data.sha256 = info.sha256;
    run.data.tokenizer_sha256 = info.tokenizer_sha256;
    run.data.documents = info.documents;
    run.data.documents_sha256 = info.documents_sha256;
    return spec::run_spec_from_json(spec::to_json(run)).data;
  };
  const int64_t marks = open(planned("bos")).info().train_tokens - open(planned("none")).info().train_tokens;
  EXPECT_NEAR(marks, 570, 3);
  const fs::path other = root / "other";  // none first
  const auto tokens = [&](const char* documents) {
    return Dataset::open(planned(documents), other).info().train_tokens;
  };
  const int64_t none = tokens("none");
  EXPECT_EQ(tokens("bos") - none, marks);
}

// The cache knows the text of lines; a file of the same bytes is one document all the same.
TEST_F(TokenDocumentsTest, a_text_is_one_document_though_its_lines_were_many) {
  const std::vector<std::string> lines(600, "a text of its own");
  const spec::DataSpec many = lines_of(lines, "llama3.json");
  open(many);
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  spec::DataSpec one = spec(write("plain.txt", text), "llama3.json");
  one.documents = "bos";
  one.sha256 = open(many).info().sha256;
  const Dataset planned = open(one);
  EXPECT_EQ(planned.info().documents_sha256, "");
  EXPECT_EQ(open(many).info().train_tokens - planned.info().train_tokens, 569);
}

TEST_F(TokenDocumentsTest, a_token_that_the_tokenizer_has_not_is_refused) {
  spec::DataSpec data = numbered();
  data.tokenizer = "bytes256";
  data.documents = "bos";
  EXPECT_THAT(error_of([&] { open(data); }).what(),
              HasSubstr("data.documents is bos, but 'bytes256' has no such token"));
  EXPECT_THAT(error_of([&] { Dataset::inspect(data, root / "cache"); }).what(), HasSubstr("has no such token"));
}

TEST_F(TokenDocumentsTest, the_split_may_keep_to_documents) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i)
    texts.push_back(fmt::format("text {} {}", i, std::string(static_cast<size_t>(i) % 50, 'x')));
  spec::DataSpec data = lines_of(texts, "llama3.json");
  data.split = "documents";
  const Dataset tokens = open(data);
  for (const Segment& block : tokens.split().val) {
    EXPECT_TRUE(block.begin == 0 || tokens.val_text()[block.begin - 1] == '\n');
    EXPECT_EQ(tokens.val_text()[block.end - 1], '\n');
    EXPECT_EQ(text_of(tokens.val_text().subspan(block.begin, 5)), "text ");
  }
  data.corpus = write("one.txt", numbered_text(50'000)).string();
  data.field.clear();
  const std::string one = "data.split documents: 'one.txt' is one document";
  EXPECT_THAT(error_of([&] { open(data); }).what(), HasSubstr(one));
  // Before anything is put together, too.
  data.tokenizer = "bytes256";
  data.corpus = write("one.txt.gz", gzip(numbered_text(50'000))).string();
  EXPECT_THAT(error_of([&] { Dataset::inspect(data, root / "untouched"); }).what(), HasSubstr("is one document"));
}

// Which part it is, and why, before the mixture is put together and after.
TEST_F(TokenDocumentsTest, a_part_of_one_document_cannot_be_split_between_documents) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.push_back(fmt::format("text {}", i));
  const spec::DataSpec lines = lines_of(texts, "llama3.json");
  spec::DataSpec data = lines;
  data.split = "documents";
  data.mixture = {{lines.corpus, "", lines.field, 1}, {write("one.txt", numbered_text(50'000)).string(), "", "", 1}};
  data.corpus.clear();
  data.field.clear();
  const auto refusal = HasSubstr("one.txt: data.split documents leaves nothing to validate on: it is one document");
  for (const char* tokenizer : {"bytes256", lines.tokenizer.c_str()}) {
    data.tokenizer = tokenizer;
    EXPECT_THAT(error_of([&] { Dataset::inspect(data, root / "cache"); }).what(), refusal);
    EXPECT_THAT(error_of([&] { open(data); }).what(), refusal);
  }
  data.mixture.pop_back();
  data.mixture.push_back({write("lines.jsonl", read_file(lines.corpus)).string(), "", lines.field, 1});
  const DatasetInfo looked = Dataset::inspect(data, root / "cache");
  EXPECT_EQ(looked.val_bytes, open(data).info().val_bytes);
  EXPECT_EQ(looked.val_bytes.size(), 2u);
}

}  // namespace
}  // namespace bitsweep::data
