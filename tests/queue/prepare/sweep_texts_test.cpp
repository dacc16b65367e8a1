// Questions and texts beside, each told where the sweep asks for it.
#include "prepare/sweep_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::prepare {
namespace {

class WrongTexts : public Texts {
 public:
  plan::DatasetFacts probe(const spec::DataSpec&) override { return {}; }
  Measured measure(const spec::DataSpec&, const Scored&, Notes&) override { return {}; }
  void check_tasks(const std::vector<spec::TaskSpec>&) override {
    throw Error(ErrorKind::input, {{.file = "q.jsonl", .line = 3, .message = "no question"}, {.message = "two"}});
  }
  std::optional<Trained> trained_tokenizer(const spec::DataSpec&) override { return std::nullopt; }
  void check_also(const spec::DataSpec&, const spec::AlsoSpec& text) override {
    ++asked;
    throw Error(ErrorKind::input, "cannot read " + text.corpus);
  }
  int asked = 0;
};

TEST(SweepTexts, WhatIsWrongIsToldAtItsPlaces) {
  const auto file = std::make_shared<const std::string>("a.yaml");
  spec::Sweep sweep;
  spec::ExpandedRun run;
  run.spec.eval.tasks.resize(1);
  run.spec.eval.also.resize(1);
  run.spec.eval.also[0].name = "base";
  run.spec.eval.also[0].corpus = "/gone";
  run.tasks_place = {file, 7, 3};
  run.also_place = {file, 9, 5};
  sweep.runs = {run, run};
  WrongTexts texts;
  std::vector<Diagnostic> problems;
  check_texts(sweep, texts, problems);
  EXPECT_EQ(Error(ErrorKind::input, problems).what(),
            std::string("a.yaml:7:3: q.jsonl:3: no question\na.yaml:7:3: two\n"
                        "a.yaml:9:5: eval.also.base: cannot read /gone"));
  EXPECT_EQ(texts.asked, 1);
}

}  // namespace
}  // namespace bitsweep::prepare
