// `bitsweep import DIR` with the real worker: a run that the other verbs show, ask and start from.
#include <fstream>

#include <gtest/gtest.h>

#include "released_folder.h"
#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class ImportRunTest : public testing::Test {
 protected:
  Ended call(std::vector<std::string> words) const {
    words.insert(words.begin(), BITSWEEP_PROGRAM);
    words.insert(words.end(), {"--root", root_.string()});
    return Process(words, folder_ / "said").wait();
  }
  json::object imported(const fs::path& from, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"import", from.string(), "--json"});
    const Ended ended = call(more);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const auto said = try_parse_json(ended.out);
    return said ? said->as_array().at(0).as_object() : json::object();
  }
  std::string refusal(const std::vector<std::string>& words) const {
    const Ended ended = call(words);
    EXPECT_EQ(ended.exit_code, 2) << ended.out;
    return ended.err;
  }

  const fs::path folder_ = train::fresh_folder(), root_ = folder_ / "root";
};

TEST_F(ImportRunTest, OnceIsAFinishedRunWithItsWeights) {
  EXPECT_EQ(string_or(imported(kGoldens / "llama", {"--dry-run"}), "import", ""), "would be new");
  EXPECT_FALSE(fs::exists(root_));
  const json::object run = imported(kGoldens / "llama");
  const std::string id = string_or(run, "id", "");
  EXPECT_EQ(string_or(run, "import", ""), "new");
  EXPECT_EQ(integer_or(run, "params", 0), 4432 + 32 * 16);
  EXPECT_EQ(integer_or(run, "context", 0), 64);
  EXPECT_TRUE(fs::exists(root_ / "runs" / id / "attempt-1" / "checkpoints" / "best.safetensors"));
  const Ended shown = call({"show", id});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("rope_theta"), std::string::npos) << shown.out;
  EXPECT_NE(call({"runs"}).out.find(id), std::string::npos);
  EXPECT_EQ(string_or(imported(kGoldens / "llama"), "import", ""), "already there");
  const json::object other = imported(kGoldens / "bitnet");
  EXPECT_EQ(string_or(other, "import", ""), "new");
  EXPECT_EQ(string_or(other, "plugin", ""), "b158");
  const Ended rebuilt = call({"rebuild", "--check"});
  EXPECT_EQ(rebuilt.exit_code, 0) << rebuilt.out << rebuilt.err;
}

// The weights are what names it: not the folder, and not what its config says of other things.
TEST_F(ImportRunTest, TheSameWeightsAreTheSameRunWhereverTheyLie) {
  const std::string id = string_or(imported(kGoldens / "llama"), "id", "");
  const fs::path copy = folder_ / "llama";
  fs::copy(kGoldens / "llama", copy);
  EXPECT_EQ(string_or(imported(copy), "id", ""), id);
  std::fstream weights(copy / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  weights.seekp(-2, std::ios::end);
  weights.put('\x3d');
  weights.close();
  const json::object changed = imported(copy);
  EXPECT_NE(string_or(changed, "id", ""), id);
  EXPECT_EQ(string_or(changed, "import", ""), "replaces " + id);
}

TEST_F(ImportRunTest, AnotherRunStartsFromItByWhatItPrints) {
  fs::copy(kGoldens / "llama", folder_ / "base");
  const std::string id = string_or(imported(folder_ / "base"), "id", "");
  const std::string said = call({"import", (folder_ / "base").string()}).out;
  const std::string sections = said.substr(said.find("model: {"));
  EXPECT_NE(sections.find("init_from: \"" + id + "\""), std::string::npos) << sections;
  EXPECT_NE(sections.find("vocab_rows: 32"), std::string::npos) << sections;
  // The golden has too few rows for any tokenizer's tokens: the plan says so, and knows every key.
  std::string sweep = "name: tuned\n" + sections;
  sweep.insert(sweep.find("data: {") + 7, " corpus: stories,");
  sweep.insert(sweep.find("train: {") + 8, " steps: 2,");
  std::ofstream(folder_ / "tuned.yaml") << sweep;
  const std::string why = refusal({"plan", (folder_ / "tuned.yaml").string()});
  EXPECT_NE(why.find("data.vocab_rows: expected 0, or at least the 256 tokens of 'bytes256', found 32"),
            std::string::npos)
      << why;
}

// The golden has rows for 32 tokens alone, so no tokenizer is known: a text cannot be put to it, and that is said.
TEST_F(ImportRunTest, IsProbedOnATextThatIsNamedOrToldWhatIsMissing) {
  const std::string id = string_or(imported(kGoldens / "llama"), "id", "");
  const std::string bare = refusal({"probe", id});
  EXPECT_NE(bare.find("has no text of its own, because its weights were imported; name one to probe on: --text FILE"),
            std::string::npos)
      << bare;
  const std::string tokens = refusal({"probe", id, "--text", "headers"});
  EXPECT_NE(tokens.find("the run names no tokenizer for 'headers'"), std::string::npos) << tokens;
  EXPECT_NE(refusal({"probe", id, "--text", "haeders"}).find("did you mean 'headers'?"), std::string::npos);
  EXPECT_NE(refusal({"probe", id, "--field", "text"}).find("--field is the text's key"), std::string::npos);
}

TEST_F(ImportRunTest, ItsProbesOfANamedTextAreThoseOfTheRun) {
  const std::string id = string_or(imported(folder_of_bytes(folder_), {"--tokenizer", "bytes256"}), "id", "");
  std::ofstream(folder_ / "beside.jsonl") << compact_json(json::object{{"text", train::sample_text(40000)}}) << "\n";
  const std::vector<std::string> words = {"probe",   id,     "--text",    (folder_ / "beside.jsonl").string(),
                                          "--field", "text", "--windows", "4"};
  const Ended probed = call(words);
  ASSERT_EQ(probed.exit_code, 0) << probed.err;
  EXPECT_NE(probed.out.find("4 windows of " + (folder_ / "beside.jsonl").string()), std::string::npos) << probed.out;
  const Ended kept = call({"query", "SELECT value FROM metrics WHERE name = 'probe_windows'", "--csv"});
  EXPECT_EQ(kept.out, "value\n4\n") << kept.err;
}

TEST_F(ImportRunTest, WhatIsWrongIsToldAndLeavesNothing) {
  const std::string llama = (kGoldens / "llama").string();
  EXPECT_NE(refusal({"import", llama, "--unit", "nats"}).find("--unit is said of logs"), std::string::npos);
  EXPECT_NE(refusal({"import", llama, (folder_ / "x.jsonl").string()}).find("import them apart"), std::string::npos);
  EXPECT_NE(refusal({"import", llama, "--context", "65"}).find("context"), std::string::npos);
  const std::string tokens = refusal({"import", llama, "--tokenizer", "bytes256"});
  EXPECT_NE(tokens.find("expected at most the 32 tokens of config.json's vocab_size, found 256 (--tokenizer FILE"),
            std::string::npos)
      << tokens;
  fs::copy(kGoldens / "llama", folder_ / "broken");
  std::ofstream(folder_ / "broken" / "tokenizer.json") << "{}";
  const std::string broken = refusal({"import", (folder_ / "broken").string()});
  EXPECT_NE(broken.find("tokenizer.json"), std::string::npos) << broken;
  EXPECT_NE(broken.find("and none does without"), std::string::npos) << broken;
  EXPECT_FALSE(fs::exists(root_));
  imported(folder_ / "broken", {"--tokenizer", "none"});
}

}  // namespace
}  // namespace bitsweep::worker
