// Laws of finished runs speak of those that wait, or say why they do not.
#include "cli/foresight.h"

#include <cmath>

#include <fmt/format.h>

#include "cli/report_advice.h"
#include "cli/suggesting.h"
#include "query/query_fixture.h"

namespace bitsweep {
namespace {

using testing::HasSubstr;

double law(double params, double tokens) { return 1.2 + std::pow(params / 1e4, -0.3) + std::pow(tokens / 1e6, -0.35); }

class ForesightTest : public QueryTest {
 protected:
  // A sweep of llama over sizes and lengths; those below `until` tokens are done, the rest waits.
  void sweep(const std::string& name, int sizes, int lengths, int64_t until, double lr = 1e-3) {
    NewSweep sweep;
    sweep.name = name, sweep.file = name + ".yaml", sweep.source = name;
    for (int i = 0; i < sizes; ++i) {
      for (int j = 0; j < lengths; ++j) {
        NewRun run = planned(fmt::format("{:04x}{:08x}", std::hash<std::string>{}(name)&0xffff, 16 * i + j + 1),
                             "llama", int64_t{10000} << i, lr);
        run.tokens = int64_t{500000} << j;
        run.spec["train"].as_object()["steps"] = run.tokens / 640;
        sweep.runs.push_back(run);
      }
    }
    store.submit(sweep);
    for (const NewRun& run : sweep.runs) {
      if (run.tokens < until)
        finish(run.id,
               {law(static_cast<double>(run.params), static_cast<double>(run.tokens)) *
                std::exp(0.002 * std::sin(static_cast<double>(run.params + 7 * run.tokens)))},
               RunState::done, ExitCause::none);
    }
  }
};

TEST_F(ForesightTest, RunsThatWaitAreForetoldFromThoseThatAreDone) {
  sweep("grid", 4, 5, 8000000);
  const Foresight foresight = foresee(Query(root), {"grid"}, "submit");
  EXPECT_TRUE(foresight.refused.empty());
  ASSERT_EQ(foresight.forecasts.size(), 1u);
  const Forecast& made = foresight.forecasts[0];
  EXPECT_EQ(made.fit.points.size(), 16u);
  ASSERT_EQ(made.predictions.size(), 4u);
  for (const PredictionRecord& p : made.predictions) {
    EXPECT_NEAR(p.loss, law(p.params, p.tokens), 0.05);
    EXPECT_LT(*p.lower, p.loss);
    EXPECT_GT(*p.upper, p.loss);
    EXPECT_EQ(p.data, made.fit.data);
    EXPECT_EQ(p.maker, "submit");
  }
  EXPECT_EQ(keep(store, foresight).stored, 4);
  EXPECT_EQ(keep(store, foresight).repeated, 4);
  // One begins before the next fit is stored: it alone is left out.
  start(made.predictions[0].run, {});
  EXPECT_EQ(keep(store, foresight).begun.size(), 1u);
}

TEST_F(ForesightTest, WhatALawCannotSayIsSaid) {
  sweep("line", 4, 2, 600000);
  const Foresight foresight = foresee(Query(root), {"line"}, "run");
  EXPECT_TRUE(foresight.forecasts.empty());
  ASSERT_EQ(foresight.refused.size(), 1u);
  EXPECT_THAT(foresight.refused[0], HasSubstr("llama"));
  EXPECT_THAT(foresight.refused[0], HasSubstr("nothing foretold"));
}

TEST_F(ForesightTest, ARunThatIsOneOfSeveralSettingsAtItsPlaceIsNotForetold) {
  sweep("grid", 4, 5, 8000000);
  sweep("other", 4, 5, 0, 3e-3);
  for (const LawData& law : law_data(Query(root), {"grid", "other"}).laws) {
    EXPECT_TRUE(law.waiting.empty());
    EXPECT_EQ(law.settings_waiting, 24u);
  }
}

TEST_F(ForesightTest, AReportIsHeldAgainstTheLastOneOfOtherPoints) {
  sweep("grid", 4, 5, 4000000);
  const auto report = [&] { return gather_report(Query(root), {"grid"}, "", "0"); };
  const ReportInput first = report();
  const Analysis before = analyse(first);
  EXPECT_TRUE(earlier_fits(root, first, before).empty());
  keep_fits(root, first, before);
  EXPECT_TRUE(earlier_fits(root, first, before).empty()) << "of the same points";
  std::string waiting;
  for (const MeasuredRun& run : first.runs)
    if (run.row.state == "queued" && waiting.empty()) waiting = run.row.id;
  finish(waiting, {2.5}, RunState::done, ExitCause::none);
  ReportInput second = report();
  const Analysis after = analyse(second);
  second.earlier = earlier_fits(root, second, after);
  ASSERT_EQ(second.earlier.size(), 1u);
  const EarlierFit& earlier = second.earlier[0];
  EXPECT_EQ(earlier.law, "chinchilla");
  EXPECT_EQ(earlier.runs.size() + 1, after.groups.at(0).fits.at(0).points.size());
  EXPECT_EQ(earlier.params.size(), 5u);
  EXPECT_TRUE(earlier.intervals.contains("alpha"));
  const std::string text = canonical_json(changes_json(second, after));
  EXPECT_THAT(text, HasSubstr(waiting));
  // Kept, and rendered again: the same.
  keep_fits(root, second, after);
  ReportInput again = report();
  again.earlier = earlier_fits(root, again, after);
  EXPECT_EQ(canonical_json(changes_json(again, after)), text);
}

TEST(Suggesting, NamesAreFreeAndToldApartByVariant) {
  const auto taken = [](const std::string& name) { return name == "grid-next-1"; };
  EXPECT_EQ(next_name("grid", "", taken), "grid-next-2");
  EXPECT_EQ(next_name("grid-next-7", "", taken), "grid-next-2");
  EXPECT_EQ(next_name("grid", "v76 (alibi=false)", taken), "grid-v76-alibi-false-next-1");
  EXPECT_EQ(next_name("grid-v57-next-1", "v57", taken), "grid-v57-next-1");
  EXPECT_EQ(slug("a/b  c)"), "a-b-c");
}

// Counts how often it is asked, and of how many models.
struct CountingDescriber : Describer {
  std::vector<size_t> asked;
  std::vector<DescribeAnswer> describe(const std::vector<DescribeQuestion>& questions) override {
    asked.push_back(questions.size());
    std::vector<DescribeAnswer> answers;
    for (const DescribeQuestion& question : questions) answers.push_back({{}, question.plugin, 0});
    return answers;
  }
};

TEST(Suggesting, AWorkerIsAskedOnceForAllThatIsExpected) {
  CountingDescriber worker;
  RememberingDescriber describer(worker);
  const auto about = [](const char* plugin, double params) { return DescribeQuestion{plugin, {{{"params", params}}}}; };
  describer.expect({about("v57", 1e6), about("v57", 2e6), about("llama", 1e6)});
  describer.expect({about("v57", 1e6)});
  EXPECT_EQ(describer.describe({about("llama", 1e6), about("v57", 1e6)})[0].error, "llama");
  EXPECT_EQ(describer.describe({about("v57", 2e6)})[0].error, "v57");
  EXPECT_EQ(worker.asked, (std::vector<size_t>{3}));
  describer.describe({about("v57", 3e6)});
  EXPECT_EQ(worker.asked, (std::vector<size_t>{3, 1}));
}

// Makes every size but those above 100,000.
class FakeDescriber : public Describer {
 public:
  std::vector<DescribeAnswer> describe(const std::vector<DescribeQuestion>& questions) override {
    std::vector<DescribeAnswer> answers;
    for (const DescribeQuestion& question : questions) {
      const double params = question.request.options.at("params").to_number<double>();
      DescribeAnswer& answer = answers.emplace_back();
      if (params > 100000) {
        answer.error = "too large for this plugin";
        continue;
      }
      answer.description.emplace();
      answer.description->options = question.request.options;
      answer.description->options.erase("params");
      answer.description->options["d_model"] = static_cast<int64_t>(params / 100);
      answer.description->params = static_cast<int64_t>(params) + 7;
      answer.description->flops_forward_per_token = 2 * params;
    }
    return answers;
  }
};

TEST(CandidatesTest, AreAroundWhatWasRunAndAsItWasRun) {
  RunSpec spec;
  spec.model = {"llama", {{"d_model", 64}, {"alibi", true}}};
  spec.data.corpus = "headers", spec.data.context = 64, spec.data.sha256 = std::string(64, 'a');
  spec.train.batch = 10, spec.train.steps = 1000, spec.train.warmup = 20;
  Point point;
  point.params = 20000, point.tokens = 640000, point.loss = 3;
  Target target;
  target.params = 200000, target.tokens = 6400000;
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
  EXPECT_THAT(yaml, testing::StartsWith("# why\nname: next\nmodel: { plugin: \"llama\", n_layers: 3, alibi: true }\n"));
  EXPECT_THAT(yaml, HasSubstr("seed: 6 }  # small\n"));
  // Seeds that exist are used up.
  int asked = 0;
  const auto two_of_three = [&](const std::string&) { return asked++ % 3 != 0; };
  for (const CandidateRun& candidate :
       make_candidates({{spec, 20000}}, {point}, {target}, {}, {}, {}, describer, two_of_three).runs)
    EXPECT_EQ(candidate.seeds.size(), 1u);
}

}  // namespace
}  // namespace bitsweep
