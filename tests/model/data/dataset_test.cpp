#include <map>
#include <thread>

#include <gmock/gmock.h>

#include "base/files.h"
#include "base/sha256.h"
#include "data/count_model.h"
#include "data/dataset.h"
#include "data/stories.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DatasetTest : public TempFolder {
 protected:
  spec::DataSpec spec(const fs::path& corpus, int64_t context = 32) const {
    spec::DataSpec data;
    data.corpus = corpus;
    data.context = context;
    return data;
  }
  Dataset open(const spec::DataSpec& data) const { return Dataset::open(data, root / "cache"); }
  Dataset numbered(size_t bytes, int64_t context = 32) {
    return open(spec(write("n.txt", numbered_text(bytes)), context));
  }

  static std::vector<uint8_t> batch(const Dataset& data, uint64_t seed, int64_t step, int64_t rows) {
    std::vector<uint8_t> out(static_cast<size_t>(rows * (data.context() + 1)));
    data.train_batch(seed, step, rows, out);
    return out;
  }
};

TEST_F(DatasetTest, info_says_what_is_there) {
  const std::string text = numbered_text(100'000);
  const Dataset data = open(spec(write("n.txt", text)));
  const DatasetInfo& info = data.info();
  EXPECT_EQ(info.name, "n.txt");
  EXPECT_EQ(info.sha256, sha256_hex(text));
  EXPECT_EQ(info.bytes, 100'000u);
  EXPECT_EQ(info.val_tokens, 5'000);
  EXPECT_EQ(info.train_tokens, 95'000);
  EXPECT_EQ(info.val_windows, 151);
  EXPECT_EQ(info.vocab, 256);
  EXPECT_EQ(info.unknown_bytes, 0u);
  EXPECT_EQ(info.val_sha256, sha256_hex(text.substr(47'500, 5'000)));
  EXPECT_FALSE(info.entropy_bits_per_byte.has_value());
  EXPECT_THAT(info.notes, IsEmpty());
}

TEST_F(DatasetTest, the_same_text_gives_the_same_hashes_wherever_it_lies) {
  const std::string text = numbered_text(50'000) + "\n";
  write("c/a", text.substr(0, 8000));  // ends between two words
  write("d/a", text);
  const DatasetInfo one = open(spec(write("one.txt", text))).info();
  const DatasetInfo folder = open(spec(root / "d")).info();
  EXPECT_EQ(one.sha256, folder.sha256);
  EXPECT_EQ(one.val_sha256, folder.val_sha256);
  EXPECT_NE(one.sha256, open(spec(root / "c")).info().sha256);
}

TEST_F(DatasetTest, hashes_golden) {
  const DatasetInfo info = numbered(100'000).info();
  EXPECT_EQ(info.sha256, "f9dd9c2a0cd43d6af5014957dc69df060f72f182aba3b9af7a16a9b0c5b49cd9");
  EXPECT_EQ(info.val_sha256, "e162c9793b0e6d0d0a7a650b1d0076963496f2038ef7a175504d2e8b7e168b3e");
}

TEST_F(DatasetTest, batches_depend_on_seed_and_step_alone) {
  const Dataset data = numbered(200'000);
  std::map<int64_t, std::vector<uint8_t>> forward;
  for (int64_t step = 0; step < 60; ++step) forward[step] = batch(data, 7, step, 16);
  for (int64_t step = 59; step >= 0; --step) EXPECT_EQ(batch(data, 7, step, 16), forward[step]);
  EXPECT_EQ(batch(numbered(200'000), 7, 31, 16), forward[31]);
  EXPECT_NE(batch(data, 8, 31, 16), forward[31]);
  EXPECT_NE(forward[30], forward[31]);
}

TEST_F(DatasetTest, micro_batches_are_the_rows_of_the_step) {
  const Dataset data = numbered(200'000);
  const auto whole = batch(data, 1, 5, 12);
  std::vector<uint8_t> parts(whole.size());
  for (int64_t part = 0; part < 3; ++part)
    data.sequences(1, 5 * 12 + part * 4, 4, std::span(parts).subspan(static_cast<size_t>(part * 4 * 33), 4 * 33));
  EXPECT_EQ(parts, whole);
}

TEST_F(DatasetTest, every_window_comes_once_an_epoch_and_never_from_validation) {
  const std::string text = numbered_text(120'000);
  const Dataset data = open(spec(write("n.txt", text), 64));
  const int64_t windows = data.info().train_windows;
  std::set<size_t> starts;
  std::vector<uint8_t> window(65);
  for (int64_t i = windows; i < 2 * windows; ++i) {
    data.sequences(3, i, 1, window);
    const size_t at = text.find(text_of(window));
    ASSERT_NE(at, std::string::npos);
    EXPECT_TRUE(starts.insert(at).second);
    for (const Segment& block : data.split().val) EXPECT_TRUE(at + 65 <= block.begin || at >= block.end);
  }
  EXPECT_EQ(static_cast<int64_t>(starts.size()), windows);
  EXPECT_GE(windows * 64, data.info().train_tokens - 4 * 64);
}

TEST_F(DatasetTest, threads_may_share_it) {
  const Dataset data = numbered(200'000);
  std::vector<std::vector<uint8_t>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results)
    threads.emplace_back([&] {
      for (int64_t step = 0; step < 50; ++step) result = batch(data, 1, step, 8);
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, batch(data, 1, 49, 8));
}

TEST_F(DatasetTest, validation_windows_are_fixed_and_fewer_when_there_are_fewer) {
  const std::string text = numbered_text(100'000);
  const Dataset data = open(spec(write("n.txt", text)));
  const ValidationWindows windows = data.validation(10);
  ASSERT_EQ(windows.count(), 10);
  std::vector<uint8_t> all(10 * 33), tail(3 * 33);
  windows.fill(0, 10, all);
  windows.fill(7, 3, tail);
  EXPECT_TRUE(std::equal(tail.begin(), tail.end(), all.begin() + 7 * 33));
  EXPECT_EQ(text_of(std::span(all).first(33)), text.substr(47'500 + 7 * 33, 33));
  EXPECT_EQ(data.validation(1'000'000).count(), 151);
}

TEST_F(DatasetTest, validation_windows_outlive_the_dataset) {
  auto data = std::make_unique<Dataset>(numbered(100'000));
  const ValidationWindows windows = data->validation(2);
  std::vector<uint8_t> before(66), after(66);
  windows.fill(0, 2, before);
  data.reset();
  windows.fill(0, 2, after);
  EXPECT_EQ(before, after);
}

TEST_F(DatasetTest, unknown_bytes_are_counted_told_and_masked) {
  std::string text = numbered_text(100'000);
  text[1010] = '\xc3', text[1011] = '\xa4', text[50'000] = '\xff';
  spec::DataSpec data_spec = spec(write("n.txt", text));
  data_spec.tokenizer = "ascii128";
  const Dataset data = open(data_spec);
  EXPECT_EQ(data.info().vocab, 128);
  EXPECT_EQ(data.info().unknown_bytes, 3u);
  EXPECT_THAT(data.info().notes,
              ElementsAre("3 of the 100,000 bytes of 'n.txt' (0.003 %) are outside ascii128 and become one token, "
                          "26: which of them it was is neither learned nor scored."));
  int unknown = 0;
  for (int64_t step = 0; step < 100; ++step)
    for (const uint8_t token : batch(data, 1, step, 60)) {
      EXPECT_LT(token, 128);
      unknown += token == tokenize::unknown_token;
    }
  EXPECT_GT(unknown, 0);
  std::vector<uint8_t> val(static_cast<size_t>(data.info().val_windows) * 33);
  data.validation(data.info().val_windows).fill(0, data.info().val_windows, val);
  EXPECT_EQ(std::count(val.begin(), val.end(), tokenize::unknown_token), 1);
}

TEST_F(DatasetTest, binary_data_is_taken_with_a_warning) {
  std::string binary(50'000, '\0');
  for (size_t i = 0; i < binary.size(); ++i) binary[i] = static_cast<char>(i * i >> 3);
  const spec::DataSpec data = spec(write("b.bin", binary));
  EXPECT_THAT(open(data).info().notes, ElementsAre(HasSubstr("looks like binary data")));
  spec::DataSpec ascii = data;
  ascii.tokenizer = "ascii128";
  EXPECT_THAT(open(ascii).info().notes,
              ElementsAre(HasSubstr("looks like binary data"), HasSubstr("outside ascii128")));
}

TEST_F(DatasetTest, a_separate_validation_text_leaves_the_corpus_whole) {
  const std::string train = numbered_text(20'000), val = "validation " + numbered_text(1'000);
  spec::DataSpec data_spec = spec(write("t.txt", train));
  data_spec.val = write("v.txt", val);
  const Dataset data = open(data_spec);
  EXPECT_EQ(data.info().train_tokens, 20'000);
  EXPECT_EQ(data.info().val_tokens, static_cast<int64_t>(val.size()));
  EXPECT_EQ(data.info().val_sha256, sha256_hex(val));
  EXPECT_EQ(data.info().sha256, sha256_hex(sha256_hex(train) + sha256_hex(val)));
  EXPECT_EQ(data.info().bytes, train.size() + val.size());
  std::vector<uint8_t> first(33);
  data.validation(1'000).fill(0, 1, first);
  EXPECT_EQ(text_of(first), val.substr(0, 33));
}

TEST_F(DatasetTest, the_same_text_is_not_both_trained_and_validated_on) {
  const std::string text = numbered_text(20'000);
  spec::DataSpec data = spec(write("t.txt", text));
  data.val = write("v.txt", text);
  EXPECT_THAT(error_of([&] { Dataset::inspect(data, root / "cache"); }).what(),
              HasSubstr("v.txt' holds the same text as 't.txt', both to train on and to validate on"));
  data.sha256 = sha256_hex(sha256_hex(text) + sha256_hex(text));  // a run of before, which is left as it was
  EXPECT_NO_THROW(open(data));
}

TEST_F(DatasetTest, what_is_wrong_with_both_texts_is_told_at_once) {
  spec::DataSpec data = spec(root / "no corpus");
  data.val = root / "no validation";
  const Error error = error_of([&] { open(data); });
  EXPECT_EQ(error.diagnostics().size(), 2u);
}

TEST_F(DatasetTest, a_short_text_is_refused_by_name_with_what_it_needs) {
  const std::string path = write("short.txt", "too short");
  const Error error = error_of([&] { open(spec(path, 256)); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_EQ(std::string(error.what()),
            path + ": too short: 9 bytes, but data.context 256 with data.val_fraction 0.05 needs at least 5,140 bytes");
  EXPECT_THROW(Dataset::inspect(spec(path, 256), root / "cache"), Error);
}

TEST_F(DatasetTest, a_spec_without_a_text_gives_its_tokenizer_alone) {
  spec::DataSpec data;
  data.tokenizer = "ascii128";
  data.vocab_rows = 160;
  const Dataset dataset = open(data);
  EXPECT_EQ(dataset.tokenizer()->vocab(), 128);
  EXPECT_EQ(dataset.info().vocab, 160);
  EXPECT_EQ(dataset.width(), TokenWidth::byte);
  const auto refusal = [](auto ask) -> std::string {
    try {
      ask();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  std::vector<uint8_t> out(257);
  for (const std::string& said :
       {refusal([&] { dataset.train_batch(0, 0, 1, out); }), refusal([&] { dataset.validation(4); }),
        refusal([&] { dataset.validation(spec::EvalSpec{}); }), refusal([&] { dataset.yardsticks(); }),
        refusal([&] { dataset.train_text(); }), refusal([&] { dataset.val_text(); })})
    EXPECT_THAT(said, HasSubstr("the run has no text"));
  data.tokenizer = "";
  EXPECT_EQ(open(data).tokenizer(), nullptr);
  EXPECT_EQ(open(data).info().vocab, 160);
}

TEST_F(DatasetTest, a_model_may_have_rows_for_more_tokens_but_not_for_fewer) {
  spec::DataSpec data = spec(write("n.txt", numbered_text(50'000)));
  data.vocab_rows = 300;
  EXPECT_EQ(open(data).info().vocab, 300);
  EXPECT_EQ(Dataset::inspect(data, root / "cache").vocab, 300);
  EXPECT_EQ(open(data).width(), TokenWidth::byte);
  EXPECT_EQ(batch(open(data), 1, 0, 4), batch(open(spec(root / "n.txt")), 1, 0, 4));
  data.vocab_rows = 255;
  try {
    open(data);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("data.vocab_rows: expected 0, or at least the 256 tokens of 'bytes256', found 255"));
  }
}

TEST_F(DatasetTest, unknown_tokenizer_is_refused_before_anything_is_read) {
  spec::DataSpec data = spec(root / "nowhere");
  data.tokenizer = "bytes";
  EXPECT_THAT(error_of([&] { open(data); }).what(), HasSubstr("unknown tokenizer 'bytes'"));
}

TEST_F(DatasetTest, a_text_that_changed_since_the_plan_is_refused) {
  const std::string path = write("n.txt", numbered_text(50'000));
  spec::DataSpec data = spec(path);
  data.sha256 = Dataset::inspect(data, root / "cache").sha256;
  EXPECT_NO_THROW(open(data));
  write("n.txt", numbered_text(50'001), std::chrono::seconds(30));
  const Error error = error_of([&] { open(data); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  EXPECT_THAT(error.what(), HasSubstr("no longer the text that the run was planned on"));
}

TEST_F(DatasetTest, a_planned_run_goes_on_from_the_cache_when_its_sources_change) {
  write("c/a", numbered_text(50'000));
  spec::DataSpec data = spec(root / "c");
  data.sha256 = open(data).info().sha256;
  const auto before = batch(open(data), 1, 0, 4);
  fs::remove_all(root / "c");
  EXPECT_EQ(batch(open(data), 1, 0, 4), before);
  EXPECT_EQ(open(data).info().name, "c");
}

TEST_F(DatasetTest, inspection_agrees_with_opening_and_writes_nothing) {
  write("c/a", numbered_text(50'000));
  for (const fs::path& corpus : {write("one.txt", numbered_text(60'000)), root / "c"}) {
    DatasetInfo inspected = Dataset::inspect(spec(corpus), root / "cache");
    EXPECT_FALSE(fs::exists(root / "cache"));
    const DatasetInfo opened = Dataset::open(spec(corpus), root / "other").info();
    EXPECT_EQ(inspected.val_sha256, fs::is_directory(corpus) ? "" : opened.val_sha256);
    inspected.val_sha256 = opened.val_sha256;
    EXPECT_EQ(canonical_json(to_json(inspected)), canonical_json(to_json(opened)));
  }
}

TEST_F(DatasetTest, yardsticks_are_computed_once_and_kept) {
  const Dataset data = open(spec(write("s.txt", generate_stories(1, 100'000).substr(0, 100'000))));
  const Yardsticks computed = data.yardsticks().split;
  EXPECT_EQ(computed.sample_bytes, 95'000u);
  EXPECT_EQ(computed.scored_bytes, 5'000u);
  EXPECT_LT(computed.bits_per_byte[3], computed.bits_per_byte[0]);
  fs::path kept;
  for (const auto& entry : fs::directory_iterator(root / "cache"))
    if (entry.path().filename().string().starts_with("yardsticks-")) kept = entry.path();
  ASSERT_FALSE(kept.empty());
  // Forged, to show that the kept one is used; then damaged, to show that it is made again.
  json::object document = parse_json(read_file(kept), "kept").as_object();
  document["bits_per_byte"] = json::array{1, 2, 3, 4};
  write_file_atomic(kept, canonical_json(document));
  EXPECT_THAT(data.yardsticks().split.bits_per_byte, ElementsAre(1, 2, 3, 4));
  write_file_atomic(kept, "torn {");
  EXPECT_EQ(data.yardsticks().split.bits_per_byte, computed.bits_per_byte);
}

TEST_F(DatasetTest, yardsticks_of_windows_are_those_of_the_bytes_that_a_model_is_scored_on) {
  spec::DataSpec asked = spec(write("s.txt", generate_stories(1, 100'000).substr(0, 100'000)));
  const Dataset data = open(asked);
  const DatasetYardsticks both = data.yardsticks({3, 1'000'000});
  ASSERT_EQ(both.windows.size(), 2u);
  std::vector<Segment> windows;
  const auto length = static_cast<uint64_t>(asked.context) + 1;
  for (const uint64_t start : validation_windows(data.split().val, asked.context, 3))
    windows.push_back({start, start + length});
  EXPECT_EQ(both.windows[0].scored_bytes, static_cast<uint64_t>(data.validation(3).target_bytes(0, 3)));
  const CountModel model(data.train_text(), data.split().train, tokenize::ByteAlphabet(asked.tokenizer));
  EXPECT_EQ(both.windows[0].bits_per_byte, model.score(data.val_text(), windows, true));
  EXPECT_EQ(both.windows[1].scored_bytes, static_cast<uint64_t>(asked.context * data.info().val_windows));
  EXPECT_NE(both.windows[0].bits_per_byte, both.windows[1].bits_per_byte);
  EXPECT_EQ(both.split.bits_per_byte, data.yardsticks().split.bits_per_byte);
  EXPECT_EQ(open(asked).yardsticks({3}).windows[0].bits_per_byte, both.windows[0].bits_per_byte);  // from the cache
}

TEST_F(DatasetTest, counting_is_told_when_something_is_counted) {
  const fs::path text = write("s.txt", generate_stories(1, 100'000).substr(0, 100'000));
  CollectedNotes notes;
  open(spec(text)).yardsticks({3}, {1'000}, &notes);
  ASSERT_EQ(notes.all().size(), 1u);
  EXPECT_THAT(notes.all()[0].text, AllOf(HasSubstr("s.txt"), HasSubstr("counting n-grams")));
  open(spec(text)).yardsticks({3}, {1'000}, &notes);  // all is kept
  EXPECT_EQ(notes.all().size(), 1u);
  open(spec(text)).yardsticks({3, 5}, {1'000}, &notes);  // five windows are new
  EXPECT_EQ(notes.all().size(), 2u);
}

TEST_F(DatasetTest, yardsticks_differ_by_tokenizer_and_split) {
  std::string text = numbered_text(100'000);
  for (size_t i = 0; i < text.size(); i += 3) text[i] = static_cast<char>(text[i] | 0x80);
  spec::DataSpec data = spec(write("n.txt", text));
  const auto bytes = open(data).yardsticks().split.bits_per_byte;
  data.tokenizer = "ascii128";
  const auto ascii = open(data).yardsticks().split.bits_per_byte;
  data.val_fraction = 0.2;
  const auto other = open(data).yardsticks().split.bits_per_byte;
  EXPECT_LT(ascii[0], bytes[0]);
  EXPECT_NE(ascii, other);
}

}  // namespace
}  // namespace bitsweep::data
