#include "imports/imported_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::imports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

FoundRun found(const std::string& text, const std::string& file = "/logs/a/metrics.jsonl") {
  Findings findings(file);
  ForeignLog log = read_foreign_log(text, "metrics", ".jsonl", {}, findings);
  findings.throw_if_any();
  return {std::move(log.runs.at(0)), file, 1000};
}

// Ids of earlier versions stay: this one was made by the first version that imports.
TEST(ImportedRun, AnIdStaysWhatItWas) {
  const store::ImportedRun run =
      imported_run(found("{\"step\":1,\"val_bpb\":2.9}\n", "/logs/metrics.jsonl"), ImportOptions{});
  EXPECT_EQ(run.run.id, "cfa9a0748cd4");
}

TEST(ImportedRun, SeedsAreInTheSpecDigitForDigit) {
  const auto spec = [](const char* seed) {
    return imported_run(found(fmt::format("{{\"step\":1,\"val_bpb\":2,\"seed\":{}}}", seed)), {}).run;
  };
  EXPECT_EQ(compact_json(spec("12873548723948723947").spec.at("seed")), "12873548723948723947");
  EXPECT_EQ(spec("12873548723948723947").seed, 0);  // an int64 holds none so large
  EXPECT_EQ(spec("-1").seed, -1);
  EXPECT_EQ(spec("9007199254740993").seed, 9007199254740993);
  EXPECT_FALSE(spec("1.5").spec.contains("seed"));
}

TEST(ImportedRun, LossesAreTheDatabases) {
  const store::ImportedRun run = imported_run(found(R"({"step":10,"val_bpb":1}
{"step":20,"val_bpb":0.5}
{"step":30,"val_bpb":0.4}
{"step":20,"val_bpb":0.8})"),
                                              {});
  const ImportedLosses losses = losses_of(run);
  EXPECT_EQ(losses.evals, 2);
  EXPECT_EQ(losses.best, 0.8);
  EXPECT_EQ(losses.last, 0.8);
}

std::vector<std::string> names(std::vector<std::string> files, const std::vector<store::KnownImport>& known = {}) {
  std::vector<FoundRun> runs;
  for (const std::string& file : files) runs.push_back(found("{\"step\":1,\"val_bpb\":2}", file));
  name_by_folder(runs, known);
  std::vector<std::string> named;
  for (const FoundRun& run : runs) named.push_back(run.run.name);
  return named;
}

store::KnownImport known(const char* name, const char* file) {
  return {.name = name, .file = file, .corpus = "", .tokenizer = "", .bytes_per_token = {}};
}

TEST(NamesByFolder, AnotherFolderIsAnotherRun) {
  EXPECT_THAT(names({"/x/a/m.jsonl"}), ElementsAre("m"));
  EXPECT_THAT(names({"/x/a/m.jsonl", "/x/b/m.jsonl"}), ElementsAre("a/m", "b/m"));
  EXPECT_THAT(names({"/x/a/1/m.jsonl", "/x/b/1/m.jsonl"}), ElementsAre("a/1/m", "b/1/m"));
  EXPECT_THAT(names({"/x/b/m.jsonl"}, {known("m", "/x/a/m.jsonl")}), ElementsAre("b/m"));
  EXPECT_THAT(names({"/x/a/m.jsonl", "/x/a/m.csv"}), ElementsAre("m.jsonl", "m.csv"));
}

TEST(NamesByFolder, TheSameFileKeepsItsName) {
  EXPECT_THAT(names({"/x/a/m.jsonl"}, {known("m", "/x/a/m.jsonl"), known("b/m", "/x/b/m.jsonl")}), ElementsAre("m"));
  EXPECT_THAT(names({"/x/b/m.jsonl"}, {known("m", "/x/a/m.jsonl"), known("b/m", "/x/b/m.jsonl")}), ElementsAre("b/m"));
  EXPECT_THAT(names({"/x/b/m.jsonl"}, {known("m", "")}), ElementsAre("m"));  // an earlier version's import
}

store::ImportedRun with_units(const char* run, double nats, double bits, const char* tokenizer) {
  return imported_run(
      found(fmt::format(R"({{"run":"{}","step":1,"val_loss":{},"val_bpb":{},"tokenizer":"{}","dataset":"web"}})", run,
                        nats, bits, tokenizer)),
      {});
}

TEST(Units, BytesATokenFollowFromTwoLosses) {
  const store::ImportedRun run = with_units("a", 2.0606, 1.21717, "sp998");
  EXPECT_NEAR(bytes_per_token_of(run).value(), 2.4424, 1e-3);
  EXPECT_THAT(doubts_about_units({run}, {}), IsEmpty());
}

TEST(Units, RunsOfOneTextThatDifferAreTold) {
  const store::ImportedRun one = with_units("a", 2.0606, 1.21717, "sp998"),
                           other = with_units("b", 2.0606, 1.1689, "sp998");
  EXPECT_THAT(doubts_about_units({one, other}, {}), ElementsAre(HasSubstr("differ in bytes a token")));
  const store::KnownImport before{
      .name = "c", .file = "", .corpus = "web", .tokenizer = "sp998", .bytes_per_token = 3.0};
  EXPECT_THAT(doubts_about_units({one}, {before}), ElementsAre(HasSubstr("3 of 'c'")));
  EXPECT_THAT(doubts_about_units({one, with_units("b", 2, 0.9, "sp2048")}, {}), IsEmpty());
}

TEST(Units, OneByteATokenIsDoubtedUnlessTokensAreBytes) {
  EXPECT_THAT(doubts_about_units({with_units("a", 2.3, 3.3182, "sp1024")}, {}),
              ElementsAre(HasSubstr("with the tokenizer 'sp1024' these are bits per token")));
  EXPECT_THAT(doubts_about_units({with_units("a", 2.3, 3.3182, "bytes256")}, {}), IsEmpty());
}

}  // namespace
}  // namespace bitsweep::imports
