// Corpora that are several texts, or shards of tokens: how they are written, what is refused, what names a run.
#include "spec/corpus_value.h"

#include "spec/support.h"

namespace bitsweep::spec {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class CorpusValue : public SweepTest {
 protected:
  static std::string of(const std::string& data, const std::string& rest = "") {
    return "name: a\nmodel: { plugin: strict, d_model: 64 }\ndata: " + data + "\ntrain: { steps: 100 }\n" + rest;
  }
  DataSpec data(const std::string& text) { return load(of(text)).runs.at(0).spec.data; }
};

constexpr const char* kMixture =
    "{ corpus: [{ corpus: stories, weight: 3 }, { corpus: web, glob: '*.jsonl', field: t }] }";
constexpr const char* kShards = "{ corpus: { train: 's/*_train_*.bin', val: /abs/v.bin }, tokenizer: t.model }";

TEST_F(CorpusValue, is_a_mixture_by_weight) {
  const DataSpec mixed = data(kMixture);
  EXPECT_EQ(mixed.corpus, "");
  EXPECT_TRUE(mixed.has_corpus());
  ASSERT_EQ(mixed.mixture.size(), 2u);
  EXPECT_EQ(mixed.mixture[0].corpus, "stories");
  EXPECT_EQ(mixed.mixture[0].weight, 3);
  EXPECT_EQ(mixed.mixture[1].corpus, (folder_ / "web").string());  // relative to the file that names it
  EXPECT_EQ(mixed.mixture[1].glob, "*.jsonl");
  EXPECT_EQ(mixed.mixture[1].field, "t");
  EXPECT_EQ(mixed.mixture[1].weight, 1);
  EXPECT_THAT(mixture_shares(mixed.mixture), ElementsAre(768, 256));
  EXPECT_EQ(corpus_text(corpus_json(mixed)), "stories + web");
  EXPECT_EQ(weights_text(corpus_json(mixed)), "3:1");
  EXPECT_EQ(weights_text("stories"), "");
}

TEST_F(CorpusValue, is_shards_of_tokens) {
  const DataSpec shards = data(kShards);
  EXPECT_TRUE(shards.is_shards());
  EXPECT_EQ(shards.shards.train, (folder_ / "s/*_train_*.bin").string());
  EXPECT_EQ(shards.shards.val, "/abs/v.bin");
  EXPECT_EQ(corpus_text(corpus_json(shards)), "*_train_*.bin");
}

TEST_F(CorpusValue, is_an_axis_a_case_and_an_override) {
  const auto corpora = [&](const std::string& text, const std::vector<std::string>& overrides = {}) {
    std::vector<std::string> names;
    for (const auto& run : load(text, overrides).runs) names.push_back(corpus_text(corpus_json(run.spec.data)));
    return names;
  };
  const std::string both = "[stories, [{ corpus: stories }, { corpus: needle }]]";
  EXPECT_THAT(corpora(with("grid: { data.corpus: " + both + " }\n")), ElementsAre("stories", "stories + needle"));
  EXPECT_THAT(corpora(with("cases: [{ data: { corpus: " + both + " } }]\n")),
              ElementsAre("stories", "stories + needle"));
  EXPECT_THAT(corpora(with("cases: [{ data: { corpus: [{ corpus: copy }, { corpus: needle }] } }]\n")),
              ElementsAre("copy + needle"));
  EXPECT_THAT(corpora(with(""), {"data.corpus=[{corpus: copy}, {corpus: needle, weight: 2}]"}),
              ElementsAre("copy + needle"));
  EXPECT_THAT(corpora(with(""), {"data.corpus={train: a.bin, val: b.bin}", "data.tokenizer=/t.model"}),
              ElementsAre("a.bin"));
}

TEST_F(CorpusValue, shares_are_whole_sequences_that_add_up) {
  EXPECT_THAT(mixture_shares({{"a", "", "", 1}, {"b", "", "", 1}, {"c", "", "", 1}}), ElementsAre(342, 341, 341));
  EXPECT_THAT(mixture_shares({{"a", "", "", 0.9}, {"b", "", "", 0.1}}), ElementsAre(922, 102));
  int64_t sum = 0;
  std::vector<CorpusPart> parts;
  for (int i = 0; i < 100; ++i) parts.push_back({"x", "", "", 1.0 + i});
  for (const int64_t share : mixture_shares(parts)) sum += share;
  EXPECT_EQ(sum, mixture_block);
}

TEST_F(CorpusValue, of_a_bad_mixture_everything_is_told) {
  const auto error = [&](const std::string& corpus) { return error_of(of("{ corpus: " + corpus + " }")); };
  EXPECT_THAT(
      error("[{ corpus: stories, weight: 0 }, { corpus: needle, weigth: 2 }, { glob: x }, 5]"),
      AllOf(
          HasSubstr("a.yaml:3:45: 'weight' in 'data.corpus' must be a number above 0 and up to 1,000,000,000, found 0"),
          HasSubstr("unknown key 'weigth' in a part of 'data.corpus'; did you mean 'weight'?"),
          HasSubstr("'corpus' is missing in a part of 'data.corpus'"),
          HasSubstr("a part of 'data.corpus' must be a map such as { corpus: stories, weight: 1 }, found 5")));
  EXPECT_THAT(error("[{ corpus: stories }, { corpus: stories, weight: 2 }]"),
              HasSubstr("'stories' is already a part of 'data.corpus': add its weights up"));
  EXPECT_THAT(error("[{ corpus: stories, weight: 1e6 }, { corpus: needle }]"),
              HasSubstr("'needle' has 1e-06 of the weights of 'data.corpus', less than one of 1,024 sequences"));
  EXPECT_THAT(error("[{ corpus: stories }]"), HasSubstr("or a mixture of 2 to 256 such as"));
  EXPECT_THAT(error("[]"), HasSubstr("found a list of 0"));
  EXPECT_THAT(error("[{ corpus: stories, wieght: 1 }]"),
              testing::AllOf(HasSubstr("found a list of 1"), HasSubstr("did you mean 'weight'?")));
  for (const char* weight : {"0", "1.0e+300", ".inf"})
    EXPECT_THAT(error(std::string("[{ corpus: stories, weight: ") + weight + " }, { corpus: headers }]"),
                HasSubstr("must be a number above 0 and up to 1,000,000,000, found"));
  EXPECT_THAT(error("[{ corpus: stories, weight: .nan }, { corpus: needle, weight: -1 }]"),
              AllOf(HasSubstr("found .nan"), HasSubstr("found -1")));
  EXPECT_THAT(error_of(of("{ corpus: [{ corpus: stories }, { corpus: needle }], field: text }")),
              HasSubstr("'data.field' is of one corpus: in a mixture each part of 'data.corpus' has its own field"));
}

TEST_F(CorpusValue, of_bad_shards_everything_is_told) {
  const auto error = [&](const std::string& data) { return error_of(of(data)); };
  EXPECT_THAT(error("{ corpus: { train: a.bin } }"), HasSubstr("'data.corpus.val' is missing"));
  EXPECT_THAT(error("{ corpus: { train: a.bin, vall: b.bin } }"),
              HasSubstr("unknown key 'data.corpus.vall'; shards of tokens are { train: GLOB, val: GLOB }; did you mean "
                        "'val'?"));
  EXPECT_THAT(error("{ corpus: { train: [a], val: b } }"), HasSubstr("'data.corpus.train' must be a path or a glob"));
  const std::string shards = "{ corpus: { train: a.bin, val: b.bin }";
  EXPECT_THAT(error(shards + " }"), HasSubstr("need the file of the tokenizer that made them in 'data.tokenizer'"));
  EXPECT_THAT(error(shards + ", tokenizer: { train: { vocab: 300 } } }"), HasSubstr("need the file of the tokenizer"));
  EXPECT_THAT(error(shards + ", tokenizer: none }"), HasSubstr("'data.tokenizer' none needs 'data.vocab_rows'"));
  EXPECT_THAT(error(shards + ", tokenizer: t.model, val: x.txt }"), HasSubstr("'data.val' is of texts"));
  EXPECT_THAT(error("{ corpus: stories, tokenizer: none }"),
              HasSubstr("'data.tokenizer' none is for shards of tokens"));
  EXPECT_THAT(error_of(of(shards + ", tokenizer: none, vocab_rows: 50257 }", "eval: { bytes: 1000 }\n")),
              HasSubstr("'eval.bytes' needs to know what tokens stand for"));
}

TEST_F(CorpusValue, names_a_run_by_what_is_learned) {
  RunSpec run;
  run.model.plugin = "llama";
  run.data.mixture = {{"/a", "", "", 1}, {"/b", "", "", 1}};
  run.data.sha256 = std::string(64, 'a');
  EXPECT_EQ(to_json(run_spec_from_json(to_json(run))), to_json(run));
  const std::string id = run_id(run), dataset = dataset_id(run.data);
  run.data.mixture = {{"/elsewhere/a", "", "", 2}, {"/b", "", "", 2}};
  EXPECT_EQ(run_id(run), id);
  run.data.mixture[0].weight = 3;
  EXPECT_NE(run_id(run), id);
  EXPECT_NE(dataset_id(run.data), dataset);
  // With a validation text of its own, runs of other weights are scored on the same.
  run.data.val = "/v";
  const std::string separate = dataset_id(run.data);
  run.data.mixture[0].weight = 5;
  EXPECT_EQ(dataset_id(run.data), separate);

  RunSpec shards;
  shards.model.plugin = "llama";
  shards.data.shards = {"/a*", "/b*"};
  shards.data.tokenizer = "none";
  shards.data.vocab_rows = 300;
  shards.data.sha256 = std::string(64, 'b');
  EXPECT_EQ(to_json(run_spec_from_json(to_json(shards))), to_json(shards));
  EXPECT_EQ(to_json(shards).at("data").at("unit"), "bits per token");
  const std::string here = run_id(shards);
  shards.data.shards = {"/c*", "/d*"};
  shards.data.val_fraction = 0.5;
  EXPECT_EQ(run_id(shards), here);
}

}  // namespace
}  // namespace bitsweep::spec
