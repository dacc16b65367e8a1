// Tasks of a sweep: what they become in a run's spec, what is said of wrong ones, and that they name no run.
#include "spec/support.h"

namespace bitsweep::spec {
namespace {

using testing::HasSubstr;

class Tasks : public SweepTest {
 protected:
  Tasks() { write_text(folder_ / "q/dev.jsonl", "{}\n"); }
  std::vector<TaskSpec> tasks_of(const std::string& rest) { return load(with(rest)).runs.at(0).spec.eval.tasks; }
};

TEST_F(Tasks, AreReadWithTheirDefaults) {
  const std::vector<TaskSpec> tasks = tasks_of(R"(eval:
  tasks:
    - { name: squad, file: q/dev.jsonl, kind: generate, stop: "\n", shots: 2, template: alpaca, when: every }
    - name: arc
      file: q/dev.jsonl
      kind: choice
      limit: 1k
      template: { prompt: "Q: {{question}}\nA:", answer: " {{answer}}" }
    - { name: lambada, file: stories-questions, kind: continue, template: "{{context}}" }
)");
  ASSERT_EQ(tasks.size(), 3u);
  EXPECT_EQ(tasks[0].file, (folder_ / "q/dev.jsonl").string());
  EXPECT_EQ(tasks[0].stop, std::vector<std::string>{"\n"});
  EXPECT_EQ(tasks[0].preset, "alpaca");
  EXPECT_EQ(tasks[0].when, "every");
  EXPECT_EQ(tasks[1].limit, 1000);
  EXPECT_EQ(tasks[1].answer, " {{answer}}");
  EXPECT_EQ(tasks[1].when, "last");
  EXPECT_EQ(tasks[2].file, "stories-questions");
  EXPECT_EQ(tasks[2].prompt, "{{context}}");
}

TEST_F(Tasks, NameNoRun) {
  const RunSpec bare = load(with("")).runs.at(0).spec;
  const RunSpec asked = load(with("eval: { tasks: [{ name: a, file: q/dev.jsonl, kind: choice }] }\n")).runs.at(0).spec;
  EXPECT_EQ(run_id(bare), run_id(asked));
  EXPECT_FALSE(to_json(bare).at("eval").as_object().contains("tasks"));
  const RunSpec back = run_spec_from_json(to_json(asked));
  EXPECT_EQ(canonical_json(to_json(back)), canonical_json(to_json(asked)));
  EXPECT_EQ(back.eval.tasks.at(0).name, "a");
  json::object wrong = to_json(asked);
  wrong["eval"].at("tasks").at(0).as_object()["shotz"] = 1;
  EXPECT_THAT(error_in([&] { run_spec_from_json(wrong); }), HasSubstr("unknown key 'shotz'; did you mean 'shots'?"));
}

TEST_F(Tasks, EveryMistakeIsToldAtItsPlace) {
  const std::string errors = error_of(with(R"(eval:
  tasks:
    - { name: a b, file: q/dev.jsonl, kind: choices }
    - { name: arc, file: q/gone.jsonl, kind: choice, shot: 3 }
    - { name: arc, kind: choice, template: { promt: x }, shots: -1 }
    - { name: ipmr, file: q, kind: generate, template: alpacca, when: never }
    - 7
)"));
  for (const char* told :
       {"a.yaml:7:15: 'name' must be a word of letters, digits, '-' and '_': its metrics are NAME.acc …, found 'a b'",
        "a.yaml:7:45: 'kind' must be one of choice, continue, generate, found 'choices'; did you mean 'choice'?",
        "a.yaml:8:26: 'file': there is no file '", "q/gone.jsonl'; built in: stories-questions",
        "a.yaml:8:54: unknown key 'shot' of a task; did you mean 'shots'?", "a.yaml:9:15: two tasks are named 'arc'",
        "a.yaml:9:7: a task needs 'file'", "a.yaml:9:46: unknown key 'promt' of a template; did you mean 'prompt'?",
        "a.yaml:9:65: 'shots' must be an integer from 0 to 1,000, found -1",
        "a.yaml:10:15: a task cannot be named 'ipmr': that is a metric",
        "a.yaml:10:27: 'file': a file is needed, and a folder is '",
        "a.yaml:10:56: 'template' must be one of plain, alpaca, chatml, a text with {{field}}s, or { prompt: …, "
        "answer: … }, "
        "found 'alpacca'; did you mean 'alpaca'?",
        "a.yaml:10:71: 'when' must be one of last, every, found 'never'",
        "a.yaml:11:7: 'eval.tasks' must be a list of maps"})
    EXPECT_THAT(errors, HasSubstr(told));
  EXPECT_THAT(error_of(with("eval: { tasks: squad }\n")), HasSubstr("'eval.tasks' must be a list of tasks"));
  EXPECT_THAT(error_of(with("grid: { eval.tasks: [{ name: a, file: q/dev.jsonl, kind: choice }] }\n")),
              HasSubstr("'eval.tasks' must be a list of tasks"));
}

TEST_F(Tasks, KeysWithoutEffectAreToldAtTheirPlace) {
  const std::string errors = error_of(with(R"(eval:
  tasks:
    - { name: a, file: q/dev.jsonl, kind: choice, stop: x }
    - { name: b, file: q/dev.jsonl, kind: continue, max_tokens: 8 }
    - { name: c, file: q/dev.jsonl, kind: generate, shots_from: q/dev.jsonl }
    - { name: d, file: q/dev.jsonl, kind: choice, shots: 0, delimiter: "-" }
    - { name: e, file: q/dev.jsonl, kind: generate, stop: [] }
    - { name: f, file: q/dev.jsonl, kind: generate, shots: -1, delimiter: "-" }
    - { name: g, file: q/dev.jsonl, kind: choice, stop: ~, shots_from: ~ }
)"));
  for (const char* told :
       {"a.yaml:7:51: 'stop' has no effect: a task of kind choice has no replies, which kind generate has",
        "a.yaml:8:53: 'max_tokens' has no effect: a task of kind continue has no replies",
        "a.yaml:9:53: 'shots_from' has no effect: it needs 'shots', examples before each question",
        "a.yaml:10:61: 'delimiter' has no effect: it needs 'shots'",
        "a.yaml:11:59: 'stop' is an empty list: name a text that ends a reply, or leave the key out",
        "a.yaml:12:60: 'shots' must be"})
    EXPECT_THAT(errors, HasSubstr(told));
  EXPECT_THAT(errors, testing::Not(HasSubstr("a.yaml:12:71")));
  EXPECT_THAT(errors, testing::Not(HasSubstr("a.yaml:13")));
  EXPECT_EQ(tasks_of("eval: { tasks: [{ name: a, file: q/dev.jsonl, kind: generate, shots: 2, delimiter: '-', stop: x, "
                     "max_tokens: 8, shots_from: q/dev.jsonl }] }\n")
                .size(),
            1u);
}

TEST_F(Tasks, QuestionsThatAreNotThereHideNothingElse) {
  const std::string tasks = "eval: { tasks: [{ name: a, file: gone.jsonl, kind: choice }] }\n";
  write_text(folder_ / "a.yaml", with(tasks));
  std::vector<Diagnostic> missing;
  const Sweep sweep = load_sweep({folder_ / "a.yaml", {}, plugins_}, &missing);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_THAT(missing[0].to_string(), HasSubstr("a.yaml:5:34: 'file': there is no file"));
  ASSERT_EQ(sweep.runs.size(), 1u);
  EXPECT_EQ(sweep.runs[0].spec.eval.tasks.at(0).file, (folder_ / "gone.jsonl").string());
  EXPECT_THAT(error_of(with(tasks + "grid: { train.lrr: [1] }\n")),
              testing::AllOf(HasSubstr("there is no file"), HasSubstr("train.lrr")));
}

TEST_F(Tasks, RulesMayStopByThem) {
  const std::string every = "eval: { tasks: [{ name: q, file: q/dev.jsonl, kind: generate, when: every }] }\n";
  EXPECT_EQ(load(with(every + "stop: { rule: asha, metric: q.f1 }\n")).stop.metric, "q.f1");
  EXPECT_EQ(load(with("stop: { rule: median, metric: answer_accuracy }\n")).stop.metric, "answer_accuracy");
  EXPECT_THAT(error_of(with(every + "stop: { metric: q.ff1 }\n")), HasSubstr("did you mean 'q.f1'?"));
  EXPECT_THAT(error_of(with(every + "stop: { rule: curve, metric: q.f1 }\n")), HasSubstr("of 'q.f1' more is better"));
  EXPECT_THAT(error_of(with("stop: { metric: ipmr_max }\n")), HasSubstr("unknown metric to stop by 'ipmr_max'"));
  const std::string also = "eval: { also: { st: { corpus: stories } } }\n";
  EXPECT_EQ(load(with(also + "stop: { rule: asha, metric: st.bpc }\n")).stop.metric, "st.bpc");
  EXPECT_THAT(error_of(with(also + "stop: { metric: ts.bpc }\n")), HasSubstr("unknown metric to stop by 'ts.bpc'"));
  EXPECT_THAT(error_of(with("stop: { metric: q.f1 }\neval: { tasks: [{ name: q, file: q/dev.jsonl, kind: generate }] "
                            "}\n")),
              HasSubstr("give the task 'q' when: every"));
}

TEST_F(Tasks, AFileOfThemIsReadAlone) {
  write_text(folder_ / "tasks.yaml", "- { name: a, file: q/dev.jsonl, kind: choice }\n");
  EXPECT_EQ(read_task_file(folder_ / "tasks.yaml").at(0).file, (folder_ / "q/dev.jsonl").string());
  write_text(folder_ / "tasks.yaml", "tasks:\n- { name: a, file: q/dev.jsonl, kind: choice }\n");
  EXPECT_EQ(read_task_file(folder_ / "tasks.yaml").size(), 1u);
  write_text(folder_ / "tasks.yaml", "[]\n");
  EXPECT_THAT(error_in([&] { read_task_file(folder_ / "tasks.yaml"); }), HasSubstr("there is no task in this file"));
}

}  // namespace
}  // namespace bitsweep::spec
