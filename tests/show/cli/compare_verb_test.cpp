// `ask` and `compare` as a person calls them, on answers that lie in run folders.
#include "tasks/answer.h"
#include "verbs_fixture.h"

namespace bitsweep::cli {

using testing::HasSubstr;
using testing::StartsWith;

class CompareVerb : public HistoryVerbs {
 protected:
  void answers(const std::string& run, const std::string& task, int64_t step, const std::vector<bool>& right,
               int64_t attempt = 1, const std::vector<std::string>& left_out = {}) {
    tasks::AnswerFile file;
    file.run = run;
    file.step = step;
    file.left_out = left_out;
    file.task.name = task;
    file.task.kind = "generate";
    for (size_t i = 0; i < right.size(); ++i)
      file.answers.push_back({.item = "q" + std::to_string(i),
                              .asked = "Who lived?",
                              .prompt_sha256 = "00",
                              .said = right[i] ? " Bo" : "",
                              .gold = {"Bo"},
                              .right = right[i],
                              .scores = {},
                              .log_likelihoods = {}});
    const fs::path folder = root / "runs" / run / ("attempt-" + std::to_string(attempt));
    make_folder(folder);
    std::ofstream(folder / tasks::answer_file_name(task, step)) << answer_lines(file);
  }
  std::string refused(const Verb& verb, const std::vector<std::string>& args) {
    return query::thrown([&] { call(verb, args); });
  }
  const std::string base = "aaaa00000001", tuned = "bbbb00000003";
};

TEST_F(CompareVerb, TellsWhoIsRightAndWhatChanged) {
  answers(base, "t", 10, {false, false, false, false});
  answers(base, "t", 30, {true, true, false, false});
  answers(tuned, "t", 20, {true, false, true, true});
  const std::string text = call(kCompareVerb, {base, "bbbb", "--task", "t"});
  EXPECT_THAT(text, StartsWith("t: 4 questions\n"
                               "  base   aaaa00000001 at step 30: 50.0 % right\n"
                               "  tuned  bbbb00000003 at step 20: 75.0 % right\n"));
  EXPECT_THAT(text, HasSubstr("base right            1            1\n"));
  EXPECT_THAT(text, HasSubstr("p = 1, of 1 to 2 questions"));
  EXPECT_THAT(text, HasSubstr("fixed: right in tuned alone\n  q2  Who lived?\n    right \"Bo\"\n    base  nothing\n    "
                              "tuned \"Bo\"\n"));
  EXPECT_THAT(text, HasSubstr("broken: right in base alone\n  q1"));
  EXPECT_THAT(call(kCompareVerb, {base, tuned, "--show", "1"}), HasSubstr("… and 1 more; --show N"));
  const json::value document = parse_json(call(kCompareVerb, {base, tuned, "--json"}), "json");
  EXPECT_EQ(document.at("tuned_alone"), 2);
  EXPECT_EQ(document.at("fixed").as_array().size(), 2u);
  EXPECT_EQ(document.at("p").to_number<double>(), 1.0);
  EXPECT_EQ(document.at("base").at("right"), 0.5);
  EXPECT_THAT(call(kCompareVerb, {base, tuned, "--csv"}), HasSubstr("q1,Who lived?,Bo, Bo,,1,0\n"));
}

TEST_F(CompareVerb, WhatOneOfThemWasTooShortForIsNotCounted) {
  answers(base, "t", 30, {true, false});
  answers(tuned, "t", 20, {true}, 1, {"q1"});
  const std::string text = call(kCompareVerb, {base, tuned});
  EXPECT_THAT(text, StartsWith("t: 1 questions\n"));
  EXPECT_THAT(text, HasSubstr("\n1 were scored in one of the two alone, and are not counted"));
  EXPECT_EQ(parse_json(call(kCompareVerb, {base, tuned, "--json"}), "json").at("one_sided"), 1);
  EXPECT_THAT(call(kCompareVerb, {base, tuned, "--csv"}), testing::Not(HasSubstr("q1,")));
}

TEST_F(CompareVerb, SaysHowToAskWhereAnswersAreMissing) {
  EXPECT_THAT(refused(kCompareVerb, {base, tuned}),
              HasSubstr("run aaaa00000001 has no answers; 'bitsweep ask aaaa00000001 --tasks FILE' asks it"));
  answers(base, "squad", 10, {true});
  answers(tuned, "arc", 10, {true});
  EXPECT_THAT(refused(kCompareVerb, {base, tuned, "--task", "squad"}),
              HasSubstr("run bbbb00000003 has no answers to task 'squad' (of arc it has); 'bitsweep ask bbbb"));
  EXPECT_THAT(refused(kCompareVerb, {base, tuned}), HasSubstr("no task in common: squad and arc"));
  answers(tuned, "squad", 10, {true, false});
  answers(base, "arc", 10, {true});
  EXPECT_THAT(refused(kCompareVerb, {base, tuned}), HasSubstr("--task is required: both have answered arc, squad"));
  EXPECT_THAT(refused(kCompareVerb, {base, tuned, "--task", "squd"}), HasSubstr("did you mean 'squad'?"));
  EXPECT_THAT(refused(kCompareVerb, {base, tuned, "--task", "squad"}),
              HasSubstr("1 question that run aaaa00000001 was"));
  EXPECT_THAT(refused(kCompareVerb, {base}), StartsWith("2: "));
}

TEST_F(CompareVerb, AskRefusesWhatItCannotAsk) {
  EXPECT_THAT(refused(kAskVerb, {base}), StartsWith("2: ask: --tasks FILE is required"));
  EXPECT_THAT(refused(kAskVerb, {base, "--tasks", "q.jsonl"}), HasSubstr("say --kind choice | continue | generate"));
  EXPECT_THAT(refused(kAskVerb, {base, "--tasks", "q.jsonl", "--kind", "choise"}), HasSubstr("did you mean 'choice'?"));
  EXPECT_THAT(refused(kAskVerb, {base, "--tasks", "storie-questions", "--kind", "generate"}),
              HasSubstr("did you mean 'stories-questions'?"));
  const std::string list = file("tasks.yaml", "- { name: a, file: gone.jsonl, kind: choice }\n");
  EXPECT_THAT(refused(kAskVerb, {base, "--tasks", list}), HasSubstr("tasks.yaml:1:20: 'file': there is no file"));
  EXPECT_THAT(refused(kAskVerb, {base, "--tasks", "stories-questions", "--kind", "generate"}),
              HasSubstr("run aaaa00000001 (done) has no checkpoint in "));
}

}  // namespace bitsweep::cli
