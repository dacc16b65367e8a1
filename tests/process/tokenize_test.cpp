// `bitsweep tokenize` as a process: what it says and leaves, and a build that is killed in its middle.
#include <chrono>
#include <map>

#include "model/worker/process.h"
#include "process/process_fixture.h"

namespace bitsweep {
namespace {

using worker::Ended;
using worker::eventually;
using worker::Process;

std::string golden(const std::string& name) { return BITSWEEP_SOURCE_DIR "/tests/model/tokenize/goldens/" + name; }

// Lines that differ, of so many bytes in all.
std::string numbered_lines(size_t bytes) {
  std::string text;
  for (uint64_t i = 0; text.size() < bytes; ++i)
    text += fmt::format("line {} has the bits {:x}, and no other line has these.\n", i, random_bits(5, 1, i));
  text.resize(bytes);
  return text;
}

class TokenizeTest : public ProcessTest {
 protected:
  fs::path sweep_of(size_t bytes, const std::string& tokenizer) {
    std::ofstream(root / "text.txt") << numbered_lines(bytes);
    const fs::path file = root / "sweep.yaml";
    std::ofstream(file) << "name: encoded\nmodel: { plugin: llama, d_model: 16, n_layers: 1, n_heads: 1 }\n"
                           "data: { corpus: text.txt, context: 32, tokenizer: "
                        << tokenizer << " }\ntrain: { steps: 1 }\n";
    return file;
  }
  std::vector<std::string> words(const fs::path& sweep, const std::string& where,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {BITSWEEP_BUILD_DIR "/bin/bitsweep", "tokenize", sweep.string(), "--root",
                                    (root / where).string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Ended call(const fs::path& sweep, const std::string& where, const std::vector<std::string>& more = {}) const {
    return Process(words(sweep, where, more), root / "said").wait();
  }
  // The one store of tokens there; "" while there is none.
  fs::path store_in(const std::string& where) const {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(root / where / "data/tokens", code)) return entry.path();
    return {};
  }
  // What lies in a folder, by name, but for its lock.
  static std::map<std::string, std::string> content(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename() != "lock") files[entry.path().filename()] = read_file(entry.path());
    return files;
  }
  static std::map<std::string, fs::file_time_type> times(const fs::path& folder) {
    std::map<std::string, fs::file_time_type> found;
    std::error_code code;
    for (const auto& entry : fs::recursive_directory_iterator(folder, code))
      if (entry.is_regular_file() && entry.path().extension() != ".json" && entry.path().filename() != "lock")
        found[entry.path().string()] = entry.last_write_time();
    return found;
  }
  static size_t shards_in(const fs::path& folder) {
    size_t count = 0;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code)) count += entry.path().extension() == ".bin" ? 1 : 0;
    return count;
  }
};

TEST_F(TokenizeTest, SaysWhatItEncodedAndDoesItOnce) {
  const fs::path sweep = sweep_of(300'000, golden("gpt2.json"));
  const Ended first = call(sweep, "store", {"--json"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const json::value told = parse_json(first.out, "tokenize --json");
  ASSERT_EQ(told.as_array().size(), 1u) << first.out;
  const json::object& data = told.at(0).as_object();
  EXPECT_EQ(integer_or(data, "bytes", 0), 300'000) << first.out;
  EXPECT_GT(integer_or(data, "train_tokens", 0), 10'000) << first.out;
  EXPECT_GT(integer_or(data, "val_tokens", 0), 500) << first.out;
  EXPECT_TRUE(fs::exists(store_in("store") / "index.json"));
  // A second call makes nothing: not the store, and not the text.
  const auto before = times(root / "store");
  EXPECT_GT(before.size(), 2u);
  const Ended again = call(sweep, "store", {"--json"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(again.err.find("tokens:"), std::string::npos) << again.err;
  EXPECT_EQ(times(root / "store"), before);
  const Ended table = call(sweep, "store");
  EXPECT_EQ(table.exit_code, 0);
  EXPECT_EQ(table.out.substr(0, table.out.find(' ')), "corpus") << table.out;
  EXPECT_NE(table.out.find("300 kB"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("  gpt2.json  "), std::string::npos) << table.out;
}

TEST_F(TokenizeTest, TextsBesideAreEncodedToo) {
  const fs::path sweep = sweep_of(300'000, golden("gpt2.json"));
  std::ofstream(root / "other.txt") << numbered_lines(100'000);
  const std::vector<std::string> beside = {
      "--set", fmt::format("eval.also={{ other: {{ corpus: {} }} }}", (root / "other.txt").string())};
  const Ended first = call(sweep, "store", beside);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.out.find("other.txt (other.bpc)"), std::string::npos) << first.out;
  size_t stores = 0;
  for (const auto& entry : fs::directory_iterator(root / "store/data/tokens"))
    stores += fs::exists(entry.path() / "index.json") ? 1 : 0;
  EXPECT_EQ(stores, 2u);
  const auto before = times(root / "store");
  EXPECT_EQ(call(sweep, "store", beside).exit_code, 0);
  EXPECT_EQ(times(root / "store"), before);
}

TEST_F(TokenizeTest, ATokenizerIsTrainedOnce) {
  const fs::path sweep = sweep_of(200'000, "{ train: { kind: bpe, vocab: 300 } }");
  const Ended first = call(sweep, "store", {"--json"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const json::value told = parse_json(first.out, "tokenize --json");
  EXPECT_EQ(integer_or(told.at(0).as_object(), "vocab", 0), 300) << first.out;
  const auto before = times(root / "store");
  const Ended again = call(sweep, "store", {"--json"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(times(root / "store"), before);
}

TEST_F(TokenizeTest, WhatIsWrongIsSaidByExitCodeAndInWords) {
  const fs::path sweep = sweep_of(100'000, golden("none.json"));
  const Ended absent = call(sweep, "store");
  EXPECT_EQ(absent.exit_code, 2);
  EXPECT_EQ(absent.out, "");
  EXPECT_NE(absent.err.find("none.json"), std::string::npos) << absent.err;
  const Ended recipe = call(sweep, "store", {"--set", "data.tokenizer={ train: { kind: bp, vocab: 300 } }"});
  EXPECT_EQ(recipe.exit_code, 2);
  EXPECT_NE(recipe.err.find("did you mean 'bpe'?"), std::string::npos) << recipe.err;
  EXPECT_EQ(call(sweep, "store", {"--jsn"}).exit_code, 2);
  EXPECT_TRUE(store_in("store").empty());
  // A root that is no folder: the machine's matter, not the sweep's.
  std::ofstream(root / "file") << "in the way";
  EXPECT_EQ(call(sweep_of(100'000, golden("gpt2.json")), "file").exit_code, 3);
}

// Killed by the machine in the middle, it goes on with the shards that are there, and what comes out is what would
// have come out.
TEST_F(TokenizeTest, AKilledBuildGoesOnToTheSameShards) {
  const fs::path sweep = sweep_of(6'000'000, golden("bpe.model"));
  ASSERT_EQ(call(sweep, "whole").exit_code, 0);
  const size_t all = shards_in(store_in("whole"));
  ASSERT_GT(all, 8u);
  {
    Process build(words(sweep, "killed"), root / "killed said");
    ASSERT_TRUE(eventually([&] { return shards_in(store_in("killed")) > 0; }));
    build.signal(SIGKILL);
    EXPECT_EQ(build.wait().signal, SIGKILL);
  }
  const fs::path folder = store_in("killed");
  ASSERT_FALSE(fs::exists(folder / "index.json")) << "it had ended: the text is too short to be caught";
  const size_t there = shards_in(folder);
  EXPECT_LT(there, all);
  std::map<std::string, fs::file_time_type> kept;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".bin") kept[entry.path().string()] = entry.last_write_time();
  const Ended resumed = call(sweep, "killed");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  for (const auto& [file, time] : kept) EXPECT_EQ(fs::last_write_time(file), time) << file;  // not made again
  const auto made = content(folder), undisturbed = content(store_in("whole"));
  ASSERT_EQ(made.size(), undisturbed.size()) << "something is left of the killed build";
  for (const auto& [name, bytes] : undisturbed) EXPECT_TRUE(made.contains(name) && made.at(name) == bytes) << name;
}

}  // namespace
}  // namespace bitsweep
