// Tasks of a run, and `bitsweep-worker ask` on the checkpoint that the real worker left.
#include <fstream>

#include <gtest/gtest.h>

#include "base/metric_kind.h"
#include "tasks/answer.h"
#include "worker_run.h"

namespace bitsweep::worker {
namespace {

class AskVerbTest : public testing::Test {
 protected:
  AskVerbTest() {
    std::ofstream(folder_ / "choice.jsonl") << R"({"query": "run of", "choices": ["bits", "xyzw", "###"], "gold": 0}
{"query": "a model of", "choices": ["%$#@!", "signs", "!!"], "gold": 1}
{"query": "the", "choices": ["signs", "q"], "gold": 0}
)";
    std::ofstream(folder_ / "reply.jsonl") << R"({"prompt": "the run of", "response": "bits"}
{"prompt": "a", "response": "model."}
)";
    std::ofstream(folder_ / "continue.jsonl")
        << "{\"context\": \"the run of bits and sig\", \"continuation\": \"ns\"}\n";
  }
  spec::TaskSpec task(const std::string& kind, const std::string& file) const {
    spec::TaskSpec task;
    task.name = kind + "-task";
    task.file = (folder_ / file).string();
    task.kind = kind;
    task.max_tokens = 6;
    return task;
  }
  std::vector<spec::TaskSpec> three() const {
    return {task("choice", "choice.jsonl"), task("generate", "reply.jsonl"), task("continue", "continue.jsonl")};
  }
  Ended ask(const WorkerRun& run, const spec::RunSpec& spec, const std::vector<spec::TaskSpec>& tasks) const {
    write_file_atomic(folder_ / "tasks.json", compact_json(to_json(tasks)));
    fs::create_directories(folder_ / "asked");
    const std::string plugins = BITSWEEP_PLUGIN_DIR;
    return Process({BITSWEEP_WORKER, "ask", "--spec", run.spec_file().string(), "--checkpoint", run.last(1).string(),
                    "--run", spec::run_id(spec), "--out", (folder_ / "asked").string(), "--tasks",
                    (folder_ / "tasks.json").string(), "--cache", (folder_ / "data").string(), "--plugin-dir", plugins},
                   folder_ / "ask")
        .wait();
  }
  const fs::path folder_ = train::fresh_folder();
};

TEST_F(AskVerbTest, ACheckpointAnswersAsTheRunDidAtItsEnd) {
  spec::RunSpec spec = small_spec(folder_, "llama");
  spec.eval.tasks = three();
  const WorkerRun run(folder_, spec);
  ASSERT_EQ(run.run(1).exit_code, 0) << run.message(1);
  const json::object last = train::events_of(run.attempt(1), "eval").back().fields;
  const json::object start = train::events_of(run.attempt(1), "start").back().fields;
  bool told = false;
  for (const json::value& kind : start.at("metrics").as_array())
    if (const MetricKind one = metric_kind_from(kind).value(); one.name == "choice-task.acc")
      told = one.better == Better::higher && std::abs(*one.chance - (1.0 / 3 + 1.0 / 3 + 1.0 / 2) / 3) < 1e-12;
  EXPECT_TRUE(told);
  const Ended ended = ask(run, spec, three());
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const json::object answer = parse_json(ended.out, "answer").as_object();
  EXPECT_EQ(integer_or(answer, "step", 0), 30);
  const json::object& metrics = answer.at("metrics").as_object();
  EXPECT_GE(metrics.size(), 13u);
  for (const auto& metric : metrics) {
    ASSERT_TRUE(last.contains(metric.key())) << metric.key();
    EXPECT_EQ(canonical_json(last.at(metric.key())), canonical_json(metric.value())) << metric.key();
  }
  for (const spec::TaskSpec& task : three()) {
    const std::string name = tasks::answer_file_name(task.name, 30);
    EXPECT_EQ(read_file(run.attempt(1) / name), read_file(folder_ / "asked" / name));
  }
  EXPECT_EQ(tasks::read_answers(run.attempt(1) / "answers-choice-task-30.jsonl").answers.size(), 3u);
  for (const spec::TaskSpec& task : spec.eval.tasks)
    EXPECT_EQ(string_or(start.at("questions").as_object(), task.name, "").size(), 12u) << task.name;
}

TEST_F(AskVerbTest, AskingChangesNothingThatIsLearned) {
  std::vector<std::string> learned[2];
  for (const bool asked : {false, true}) {
    spec::RunSpec spec = small_spec(folder_, "v57");
    if (asked) spec.eval.tasks = three();
    for (spec::TaskSpec& task : spec.eval.tasks) task.when = "every";
    const WorkerRun run(folder_ / (asked ? "asked-run" : "bare"), spec);
    ASSERT_EQ(run.run(1).exit_code, 0) << run.message(1);
    for (const event::Event& eval : train::events_of(run.attempt(1), "eval"))
      learned[asked].push_back(canonical_json(eval.fields.at("val_bpc")) + canonical_json(eval.fields.at("train_bpc")));
  }
  EXPECT_EQ(learned[0], learned[1]);
}

TEST_F(AskVerbTest, WhatIsWrongWithAFileIsSaid) {
  spec::RunSpec spec = small_spec(folder_, "llama");
  const WorkerRun run(folder_, spec);
  ASSERT_EQ(run.run(1).exit_code, 0);
  std::ofstream(folder_ / "choice.jsonl") << "{\"query\": \"Q\", \"choices\": [\"a\", \"b\"], \"gold\": 2}\n";
  const Ended ended = ask(run, spec, three());
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_NE(ended.err.find("choice.jsonl:1: 'gold' is 2"), std::string::npos) << ended.err;
  spec.eval.tasks = three();
  const WorkerRun other(folder_ / "other", spec);
  other.run(1);
  EXPECT_EQ(other.status(1), "bad_input");
}

// Cut, they would be scored by a part of their tokens and all of their bytes.
TEST_F(AskVerbTest, AnswersLongerThanTheContextAreNotScored) {
  spec::RunSpec spec = small_spec(folder_, "llama");
  const WorkerRun run(folder_, spec);
  ASSERT_EQ(run.run(1).exit_code, 0);
  const std::string too_long(static_cast<size_t>(spec.data.context) + 1, 'x');
  std::ofstream(folder_ / "choice.jsonl")
      << R"({"query": "Q", "choices": ["a", "b"], "gold": 1})"
      << "\n{\"query\": \"Q\", \"choices\": [\"a\", \"" + too_long + "\"], \"gold\": 0}\n";
  const Ended ended = ask(run, spec, {task("choice", "choice.jsonl")});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_NE(ended.out.find("1 of 2 questions is not scored: an answer is longer than the context"), std::string::npos);
  EXPECT_EQ(parse_json(ended.out, "answer").at("metrics").at("choice-task.n").to_number<int>(), 1);
  std::ofstream(folder_ / "continue.jsonl") << "{\"context\": \"a\", \"continuation\": \"" + too_long + "\"}\n";
  const Ended none = ask(run, spec, {task("continue", "continue.jsonl")});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_NE(none.err.find("task 'continue-task': no question of 1 can be scored"), std::string::npos)
      << none.err;
}

}  // namespace
}  // namespace bitsweep::worker
