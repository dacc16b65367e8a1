// From finished runs to candidates, and from what was picked to a sweep file.
#include "advise/next_sweep.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::advise {
namespace {

using testing::HasSubstr;

TEST(NextSweep, NamesAreFreeAndToldApartByVariant) {
  const auto taken = [](const std::string& name) { return name == "grid-next-1"; };
  EXPECT_EQ(next_name("grid", "", taken), "grid-next-2");
  EXPECT_EQ(next_name("grid-next-7", "", taken), "grid-next-2");
  EXPECT_EQ(next_name("grid", "v76 (alibi=false)", taken), "grid-v76-alibi-false-next-1");
  EXPECT_EQ(next_name("grid-v57-next-1", "v57", taken), "grid-v57-next-1");
  EXPECT_EQ(slug("a/b  c)"), "a-b-c");
}

// Counts how often it is asked, and of how many models.
struct CountingDescriber : plan::Describer {
  std::vector<size_t> asked;
  std::vector<plan::DescribeAnswer> describe(const std::vector<plan::DescribeQuestion>& questions) override {
    asked.push_back(questions.size());
    std::vector<plan::DescribeAnswer> answers;
    for (const plan::DescribeQuestion& question : questions) answers.push_back({{}, question.plugin, 0});
    return answers;
  }
};

TEST(NextSweep, AWorkerIsAskedOnceForAllThatIsExpected) {
  CountingDescriber worker;
  CachingDescriber describer(worker);
  const auto about = [](const char* plugin, double params) {
    return plan::DescribeQuestion{plugin, {{{"params", params}}}};
  };
  describer.expect({about("v57", 1e6), about("v57", 2e6), about("llama", 1e6)});
  describer.expect({about("v57", 1e6)});
  EXPECT_EQ(describer.describe({about("llama", 1e6), about("v57", 1e6)})[0].error, "llama");
  EXPECT_EQ(describer.describe({about("v57", 2e6)})[0].error, "v57");
  EXPECT_EQ(worker.asked, (std::vector<size_t>{3}));
  describer.describe({about("v57", 3e6)});
  EXPECT_EQ(worker.asked, (std::vector<size_t>{3, 1}));
}

// Makes every size but those above 100,000.
class FakeDescriber : public plan::Describer {
 public:
  std::vector<plan::DescribeAnswer> describe(const std::vector<plan::DescribeQuestion>& questions) override {
    std::vector<plan::DescribeAnswer> answers;
    for (const plan::DescribeQuestion& question : questions) {
      const double params = question.request.options.at("params").to_number<double>();
      plan::DescribeAnswer& answer = answers.emplace_back();
      if (params > 100000) {
        answer.error = "too large for this plugin";
        continue;
      }
      answer.description.emplace();
      answer.description->options = question.request.options;
      answer.description->options.erase("params");
      answer.description->options["d_model"] = static_cast<int64_t>(params / 100);
      answer.description->implied = {{"init", "fixed"}};
      answer.description->params = static_cast<int64_t>(params) + 7;
      answer.description->flops_forward_per_token = 2 * params;
    }
    return answers;
  }
};

TEST(CandidatesTest, AreAroundWhatWasRunAndAsItWasRun) {
  spec::RunSpec spec;
  spec.model = {"llama", {{"d_model", 64}, {"alibi", true}}};
  spec.data.corpus = "headers";
  spec.data.context = 64;
  spec.data.sha256 = std::string(64, 'a');
  spec.train.batch = 10;
  spec.train.steps = 1000;
  spec.train.warmup = 20;
  fit::Point point;
  point.params = 20000;
  point.tokens = 640000;
  point.loss = 3;
  fit::Target target;
  target.params = 200000;
  target.tokens = 6400000;
  FakeDescriber describer;
  const auto known = [](const std::string&) { return false; };
  const CandidateSet set =
      make_candidates({{spec, 20000}}, {point}, {target}, {{"n_layers", 3}}, {5, 6}, {}, describer, known);
  ASSERT_FALSE(set.runs.empty());
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_THAT(set.notes[0], HasSubstr("too large for this plugin"));
  for (const CandidateRun& candidate : set.runs) {
    EXPECT_GE(candidate.asked_params, 10000);
    EXPECT_LE(candidate.asked_params, 100000);
    EXPECT_GE(candidate.run.spec.train.steps, 2 * spec.train.warmup);
    EXPECT_LE(candidate.run.tokens, 1.05 * target.tokens);
    EXPECT_EQ(candidate.run.spec.train.batch, 10);
    EXPECT_EQ(candidate.seeds, (std::vector<int64_t>{5, 6, 0}));  // the sweep's first
    EXPECT_EQ(candidate.run.id, run_id(candidate.run.spec));
  }
  const std::string yaml =
      sweep_yaml("next", {"why"}, {{&set.runs[0], 6, "small"}}, {{"n_layers", 3}}, {}, "chinchilla", {target});
  EXPECT_THAT(yaml,
              testing::StartsWith(
                  "# why\nname: next\nmodel: { plugin: \"llama\", init: \"fixed\", n_layers: 3, alibi: true }\n"));
  EXPECT_THAT(yaml, HasSubstr("seed: 6 }  # small\n"));
  // Seeds that exist are used up.
  int asked = 0;
  const auto two_of_three = [&](const std::string&) { return asked++ % 3 != 0; };
  for (const CandidateRun& candidate :
       make_candidates({{spec, 20000}}, {point}, {target}, {}, {}, {}, describer, two_of_three).runs)
    EXPECT_EQ(candidate.seeds.size(), 1u);
}

// Every shape as it is asked; a size alone is none.
class ShapeDescriber : public plan::Describer {
 public:
  std::vector<plan::DescribeAnswer> describe(const std::vector<plan::DescribeQuestion>& questions) override {
    std::vector<plan::DescribeAnswer> answers;
    for (const plan::DescribeQuestion& question : questions) {
      EXPECT_FALSE(question.request.options.contains("params"));
      plan::DescribeAnswer& answer = answers.emplace_back();
      answer.description.emplace();
      answer.description->options = question.request.options;
      answer.description->params = integer_or(question.request.options, "d_model", 0) * 100;
      answer.description->flops_forward_per_token = 2.0 * static_cast<double>(answer.description->params);
    }
    return answers;
  }
};

TEST(CandidatesTest, WhatStartsFromAnotherRunKeepsItsShape) {
  spec::RunSpec small;
  small.model = {"llama", {{"d_model", 64}, {"n_layers", 3}, {"alibi", true}}};
  small.data.corpus = "headers";
  small.data.context = 64;
  small.train.batch = 10;
  small.train.steps = 1000;
  small.train.warmup = 20;
  small.train.init_from = "aaaaaaaaaaaa";
  spec::RunSpec large = small;
  large.model.options["d_model"] = 128;
  large.train.init_from = "bbbbbbbbbbbb";
  std::vector<fit::Point> points(2);
  points[0].params = 6400, points[1].params = 12800;
  for (fit::Point& point : points) point.tokens = 640000;
  fit::Target target;
  target.params = 200000;
  target.tokens = 6400000;
  ShapeDescriber describer;
  const CandidateSet set = make_candidates({{small, 6400}, {large, 12800}}, points, {target}, {}, {5}, {}, describer,
                                           [](const std::string&) { return false; });
  std::set<int64_t> sizes, steps;
  for (const CandidateRun& candidate : set.runs) {
    sizes.insert(candidate.run.model.params);
    steps.insert(candidate.run.spec.train.steps);
    EXPECT_EQ(candidate.run.spec.train.init_from, candidate.run.model.params == 6400 ? "aaaaaaaaaaaa" : "bbbbbbbbbbbb");
  }
  EXPECT_EQ(sizes, (std::set<int64_t>{6400, 12800}));
  EXPECT_GT(steps.size(), 2u);
  ASSERT_EQ(set.notes.size(), 1u);
  EXPECT_THAT(set.notes[0], HasSubstr("keep its shape: no other size can be proposed"));
  const std::string yaml = sweep_yaml("next", {}, {{&set.runs[0], 5, "small"}}, {}, {}, "chinchilla", {target});
  EXPECT_THAT(yaml, HasSubstr("{ model.d_model: 64, model.n_layers: 3, "));
  EXPECT_THAT(yaml, testing::Not(HasSubstr("model.params")));
}

}  // namespace
}  // namespace bitsweep::advise
