// Questions as text: templates, presets, examples.
#include "tasks/questions.h"

#include <set>

#include "tasks/made_items.h"

namespace bitsweep::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

spec::TaskSpec task_of(const std::string& kind) {
  spec::TaskSpec task;
  task.name = "t";
  task.kind = kind;
  return task;
}

TEST(Questions, ChoicesFollowTheQuestionBehindASpace) {
  const Task task = make_task(task_of("choice"), read_items(kArcLines, "choice", "f"), nullptr);
  ASSERT_EQ(task.questions.size(), 3u);
  EXPECT_EQ(task.questions[0].text(0), "Question: What barks?");
  EXPECT_THAT(task.questions[0].continuations, ElementsAre(" a cat", " a dog", " a bird"));
  EXPECT_DOUBLE_EQ(*task.chance, (1.0 / 3 + 1.0 / 2 + 1.0 / 4) / 3);
}

TEST(Questions, TemplatesFillFieldsAndNothingElse) {
  spec::TaskSpec spec = task_of("choice");
  spec.prompt = "{% if x %}{{query}} {{ question }}\nAnswer:";
  spec.answer = " <{{answer}}>";
  const Task task = make_task(spec, read_items(kArcLines, "choice", "f"), nullptr);
  EXPECT_EQ(task.questions[1].prompt, "{% if x %}Question: What is blue? Question: What is blue?\nAnswer:");
  EXPECT_THAT(task.questions[1].continuations, ElementsAre(" <the sky>", " <snow>"));
}

TEST(Questions, TemplatesThatFitNothingAreRefusedNamingTheFields) {
  const ItemSet items = read_items(kArcLines, "choice", "f");
  const auto told = [&](const std::string& prompt, const std::string& answer = "") {
    spec::TaskSpec spec = task_of("choice");
    spec.prompt = prompt;
    spec.answer = answer;
    return message_of([&] { make_task(spec, items, nullptr); });
  };
  EXPECT_THAT(told("Answer:"), HasSubstr("task 't': template prompt \"Answer:\": it names no {{field}}"));
  EXPECT_THAT(told("{{querry}}"), HasSubstr("unknown field 'querry'; did you mean 'query'?; fields: "));
  EXPECT_THAT(told("{{query"), HasSubstr("is not closed"));
  EXPECT_THAT(told("{{query}}", "none"), HasSubstr("template answer"));
}

TEST(Questions, PromptsThatGiveTheAnswerAwayAreRefused) {
  const auto told = [](const std::string& kind, const std::string& line, const std::string& field) {
    spec::TaskSpec spec = task_of(kind);
    spec.prompt = "{{prompt}} {{" + field + "}}";
    return message_of([&] { make_task(spec, read_items(line, kind, "f"), nullptr); });
  };
  const auto words = [](const std::string& field) {
    return HasSubstr("field '" + field + "' is the answer, and a prompt must not give it away");
  };
  const std::string choice = R"({"query": "Q", "choices": ["x", "y"], "GOLD": 0, "ind": 7})";
  for (const std::string gold : {"gold", "label", "answer", "answerKey", "answer_idx"}) {
    const std::string line = choice.substr(0, choice.find("GOLD")) + gold + choice.substr(choice.find("GOLD") + 4);
    const std::string message = told("choice", line, gold);
    EXPECT_THAT(message, words(gold));
    EXPECT_THAT(message, testing::EndsWith("; fields: context, ind, input, instruction, prompt, query, question"));
  }
  for (const std::string said : {"continuation", "completion", "answer", "target"})
    EXPECT_THAT(told("continue", R"({"context": "Q", ")" + said + R"(": "x"})", said), words(said));
  for (const std::string said : {"answers", "answer", "completion", "response", "output", "target"})
    EXPECT_THAT(told("generate", R"({"question": "Q", ")" + said + R"(": "x"})", said), words(said));
  EXPECT_THAT(told("generate", R"({"question": "Q", "output": "x"})", "answer"), words("answer"));
}

TEST(Questions, PresetsAreThoseOfAlpacaAndChatMl) {
  const ItemSet items = read_items(kSquad, "generate", "f");
  spec::TaskSpec spec = task_of("generate");
  EXPECT_THAT(make_task(spec, items, nullptr).stops, ElementsAre("\n"));
  spec.preset = "alpaca";
  Task task = make_task(spec, items, nullptr);
  EXPECT_THAT(task.questions[0].prompt,
              HasSubstr("### Instruction:\nWho lived by the river?\n\n### Input:\nAda lived by the river.\n\n### "
                        "Response:\n"));
  const ItemSet bare = read_items(R"({"instruction": "Add", "output": "3"})", "generate", "f");
  EXPECT_THAT(make_task(spec, bare, nullptr).questions[0].prompt, testing::Not(HasSubstr("### Input")));
  spec.preset = "chatml";
  spec.stop = {"END"};
  task = make_task(spec, items, nullptr);
  EXPECT_THAT(task.questions[0].prompt, testing::StartsWith("<|im_start|>user\nAda lived"));
  EXPECT_THAT(task.stops, ElementsAre("END"));
}

TEST(Questions, ExamplesAreOtherItemsByTaskAndItemAlone) {
  const ItemSet items = read_items(kSquad, "generate", "f");
  spec::TaskSpec spec = task_of("generate");
  spec.shots = 2;
  const Task task = make_task(spec, items, nullptr);
  EXPECT_EQ(task.questions[2].shots.size(), 2u);
  EXPECT_THAT(task.questions[2].text(2), HasSubstr("Question: Who lived by the river?\nAnswer: Ada\n\n"));
  EXPECT_THAT(task.questions[2].text(2), testing::EndsWith("Question: Where did Bo live?\nAnswer:"));
  EXPECT_EQ(task.questions[2].text(0), task.questions[2].prompt);
  spec.limit = 1;  // which items are asked changes no other's examples
  EXPECT_EQ(make_task(spec, items, nullptr).questions.at(0).text(2), task.questions[0].text(2));
  spec.shots = 3;
  EXPECT_EQ(message_of([&] { make_task(spec, items, nullptr); }),
            "task 't': 3 shots are asked for, and 'f' has 2 other items");
  const ItemSet examples = read_items(kSquad, "generate", "examples");
  EXPECT_EQ(make_task(spec, items, &examples).questions.at(0).shots.size(), 3u);
}

TEST(Questions, AreKnownByADigestOfAllThatIsAsked) {
  const auto digest = [](const std::string& lines, int64_t shots = 0, int64_t limit = 0) {
    spec::TaskSpec spec = task_of("choice");
    spec.shots = shots;
    spec.limit = limit;
    return questions_digest(make_task(spec, read_items(lines, "choice", "f"), nullptr));
  };
  const std::string lines = kArcLines, one = digest(lines);
  EXPECT_EQ(one.size(), 12u);
  EXPECT_EQ(digest(lines), one);
  EXPECT_NE(digest(lines, 1), one);
  EXPECT_NE(digest(lines, 0, 2), one);
  std::string changed = lines;
  changed.replace(changed.find("a dog"), 5, "a fox");
  EXPECT_NE(digest(changed), one);
}

TEST(Questions, DrawsOfExamplesAreEvenAndNeverTheItemItself) {
  std::vector<int> drawn(10, 0);
  for (size_t item = 0; item < 1000; ++item) {
    const std::vector<size_t> shots = draw_shots("t", item % 10, 3, 10, true);
    EXPECT_EQ(std::set<size_t>(shots.begin(), shots.end()).size(), 3u);
    EXPECT_FALSE(std::count(shots.begin(), shots.end(), item % 10));
    for (const size_t one : draw_shots("t", item, 3, 10, false)) ++drawn[one];
  }
  for (const int count : drawn) EXPECT_NEAR(count, 300, 60);
  EXPECT_NE(draw_shots("t", 1, 3, 1000, true), draw_shots("u", 1, 3, 1000, true));
}

}  // namespace
}  // namespace bitsweep::tasks
