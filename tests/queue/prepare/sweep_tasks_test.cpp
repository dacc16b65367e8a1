// Questions, told where the sweep asks for them.
#include "prepare/sweep_tasks.h"

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
  plan::DatasetFacts probe_beside(const spec::DataSpec&, const spec::AlsoSpec&) override { return {}; }
};

TEST(SweepTasks, WhatIsWrongIsToldAtItsPlace) {
  const auto file = std::make_shared<const std::string>("a.yaml");
  spec::Sweep sweep;
  spec::ExpandedRun run;
  run.spec.eval.tasks.resize(1);
  run.tasks_place = {file, 7, 3};
  sweep.runs = {run, run};
  WrongTexts texts;
  std::vector<Diagnostic> problems;
  check_tasks(sweep, texts, problems);
  EXPECT_EQ(Error(ErrorKind::input, problems).what(),
            std::string("a.yaml:7:3: q.jsonl:3: no question\na.yaml:7:3: two"));
}

}  // namespace
}  // namespace bitsweep::prepare
