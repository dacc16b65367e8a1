// Forms of question files, and what a person is told of a wrong one.
#include "tasks/made_items.h"

namespace bitsweep::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ReadItems, ChoicesByLine) {
  const ItemSet set = read_items(kArcLines, "choice", "arc.jsonl");
  ASSERT_EQ(set.items.size(), 3u);
  EXPECT_EQ(set.form, "query, choices, gold");
  EXPECT_THAT(set.notes, ElementsAre("arc.jsonl: 3 questions with query, choices, gold."));
  EXPECT_EQ(set.items[0].right_answer(), "a dog");
  EXPECT_EQ(set.items[0].id, "1");
  EXPECT_EQ(set.items[2].line, 3);
  EXPECT_EQ(set.items[1].fields.at("prompt"), "Question: What is blue?");
}

TEST(ReadItems, ChoicesAsOthersWriteThem) {
  const ItemSet set = read_items(
      R"({"id": "arc", "question": "Q", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "B"}
{"ctx": "He", "endings": ["runs.", "eats."], "label": "1", "ind": 7}
{"goal": "Open it", "sol1": "push", "sol2": "pull", "label": 0}

{"question": "Q", "choices": [{"label": "1", "text": "x"}, {"label": "2", "text": "y"}], "answerKey": "2"}
{"question": "Q", "options": ["yes", "no"], "answer": "no"}
{"question": "Q", "options": ["yes", "no"], "answer": "A"}
)",
      "choice", "f");
  std::vector<std::string> right;
  for (const Item& item : set.items) right.push_back(item.right_answer());
  EXPECT_THAT(right, ElementsAre("y", "eats.", "push", "y", "no", "yes"));
  EXPECT_EQ(set.items[0].id, "arc");
  EXPECT_EQ(set.items[3].line, 5);
  EXPECT_EQ(set.items[1].fields.at("ind"), "7");
}

TEST(ReadItems, Continuations) {
  const ItemSet set =
      read_items(R"([{"context": "I saw a", "continuation": " cat"}, {"text": "two", "answer": "three"}])", "continue",
                 "lambada.json");
  ASSERT_EQ(set.items.size(), 2u);
  EXPECT_THAT(set.items[0].answers, ElementsAre(" cat"));
  EXPECT_EQ(set.items[1].fields.at("prompt"), "two");
  EXPECT_THAT(set.notes[0], HasSubstr("1 question with context, continuation"));
}

TEST(ReadItems, Squad) {
  const ItemSet set = read_items(kSquad, "generate", "dev.json");
  ASSERT_EQ(set.items.size(), 3u);
  EXPECT_EQ(set.items[1].id, "q2");
  EXPECT_THAT(set.items[1].answers, ElementsAre("by the river", "the river"));
  EXPECT_TRUE(set.items[2].answers.empty());
  EXPECT_EQ(set.items[2].right_answer(), "");
  EXPECT_EQ(set.items[0].fields.at("prompt"), "Ada lived by the river.\n\nQuestion: Who lived by the river?\nAnswer:");
  EXPECT_THAT(set.notes, ElementsAre(HasSubstr("dev.json: 3 questions with"),
                                     "1 of them has no answer: right is an empty reply."));
}

TEST(ReadItems, Replies) {
  const ItemSet set = read_items(
      R"({"prompt": "Say hi", "response": "hi"}
{"instruction": "Add", "input": "1 2", "output": "3"}
{"question": "Who?", "answer": ["Bo", "Bob"], "id": 5}
{"question": "Who?", "context": "Bo.", "answers": {"text": ["Bo"], "answer_start": [0]}, "id": 5}
{"question": "Who?", "answers": {"text": [], "answer_start": []}}
)",
      "generate", "f");
  ASSERT_EQ(set.items.size(), 5u);
  EXPECT_EQ(set.items[0].fields.at("prompt"), "Say hi");
  EXPECT_EQ(set.items[1].fields.at("prompt"), "Add\n1 2");
  EXPECT_EQ(set.items[1].fields.at("input"), "1 2");
  EXPECT_THAT(set.items[2].answers, ElementsAre("Bo", "Bob"));
  EXPECT_EQ(set.items[3].id, "5#4");  // one id for two questions
  EXPECT_TRUE(set.items[4].answers.empty());
}

TEST(ReadItems, WrongLinesAreToldAtOnceWithWhatIsThere) {
  const std::string told = message_of([&] {
    read_items(R"({"query": "Q", "choices": ["a", "b"], "gold": 2}
{"query": "Q", "choices": ["a", "b"], "gold": -1}
{"qeury": "Q", "choices": ["a", "b"], "gold": 0}
{"query": "Q", "choises": ["a", "b"], "gold": 0}
{"query": "Q", "choices": ["a", "b"]}
{"query": "Q", "choices": [], "gold": 0}
{"query": "Q", "choices": ["a", ""], "gold": 0}
{"query": "Q", "choices": 7, "gold": 0}
{"query": "Q", "choices": ["a", "b"], "gold": 0
7
)",
               "choice", "arc.jsonl");
  });
  for (const char* line :
       {"arc.jsonl:1: 'gold' is 2, and there are 2 choices, numbered from 0 (the first of 2 items)",
        "arc.jsonl:3: no question (query, question, ", "it has qeury, choices, gold; did you mean 'query'?",
        "arc.jsonl:4: no choices (choices, endings, options); it has query, choises, gold; did you mean 'choices'?",
        "arc.jsonl:5: no right choice (gold, label, ", "arc.jsonl:6: 'choices' has 0 choices; a question needs two",
        "arc.jsonl:7: 'choices' has an empty choice", "arc.jsonl:8: 'choices' must be a list of texts",
        "arc.jsonl:9: no JSON object: incomplete JSON at column 48", "arc.jsonl:10: no JSON object"})
    EXPECT_THAT(told, HasSubstr(line));
}

TEST(ReadItems, WhatIsNullOrNoTextIsToldAsThat) {
  const auto read = [](const std::string& text, const char* kind) {
    return message_of([&] { read_items(text, kind, "d.json"); });
  };
  EXPECT_THAT(read(R"({"choices": ["a", "b"], "gold": 0})", "choice"), testing::EndsWith("it has choices, gold"));
  EXPECT_EQ(read(R"({"prompt": null, "completion": "x"})", "generate"), "d.json:1: no question: 'prompt' is null");
  EXPECT_EQ(read(R"({"prompt": 7, "completion": "x"})", "generate"), "d.json:1: no question: 'prompt' is no text");
  EXPECT_EQ(read(R"({"prompt": "x", "completion": null})", "generate"), "d.json:1: no answer: 'completion' is null");
  EXPECT_EQ(read(R"({"query": "x", "choices": null, "gold": 0})", "choice"), "d.json:1: no choices: 'choices' is null");
  EXPECT_EQ(read(R"({"query": "x", "choices": ["a", "b"], "gold": null})", "choice"),
            "d.json:1: no right choice: 'gold' is null");
  EXPECT_EQ(read(R"({"context": null, "continuation": "a"})", "continue"), "d.json:1: no context: 'context' is null");
}

TEST(ReadItems, DigitsThatAreATextAndANumberAreTold) {
  const ItemSet set = read_items(R"({"query": "1 + 1", "choices": ["1", "2", "3"], "gold": "2"}
{"query": "1 + 1", "choices": ["1", "2", "3"], "gold": 2}
{"query": "1 + 1", "choices": ["0", "1", "2"], "gold": "2"}
{"query": "6 + 1", "choices": ["6", "7", "8"], "gold": "7"}
{"query": "1 + 1", "choices": ["a", "b"], "gold": "1"}
)",
                                 "choice", "f");
  std::vector<size_t> gold;
  for (const Item& item : set.items) gold.push_back(item.gold);
  EXPECT_THAT(gold, ElementsAre(1u, 2u, 2u, 1u, 1u));
  EXPECT_THAT(set.notes.at(1), testing::StartsWith("1 of them gives the right choice as a text of digits that is one "
                                                   "choice's text and another's number: the text was taken"));
  EXPECT_EQ(set.notes.size(), 2u);
}

TEST(ReadItems, ChoicesThatAreTheSameAreTold) {
  const ItemSet set = read_items(R"({"query": "a", "choices": ["x", "y"], "gold": 0}
{"query": "b", "choices": ["x", "x"], "gold": 1}
{"query": "c", "choices": ["x", "y", "y"], "gold": 0}
)",
                                 "choice", "f");
  ASSERT_EQ(set.notes.size(), 2u);
  EXPECT_THAT(set.notes[1],
              testing::StartsWith("2 of them have the same choice more than once (the first: question 2)"));
}

TEST(ReadItems, BytesThatAreNoUtf8AreTakenAsTheyStand) {
  const ItemSet set = read_items(
      "{\"prompt\": \"a\", \"completion\": \"b\"}\n"
      "{\"prompt\": \"caf\xE9\", \"completion\": \"\xFFx\"}\n",
      "generate", "f");
  EXPECT_EQ(set.items.at(1).fields.at("question"), "caf\xE9");
  EXPECT_THAT(set.items.at(1).answers, ElementsAre("\xFFx"));
  EXPECT_EQ(set.notes.back(),
            "f: 1 line with bytes that are no UTF-8 (the first: line 2, byte 16); they are taken as they stand.");
  // What is said of them is UTF-8.
  EXPECT_THAT(message_of([] { read_items("{\"promt\": \"x\", \"\xE9\": \"b\"}\n", "generate", "f"); }),
              HasSubstr("it has promt, \uFFFD"));
}

TEST(ReadItems, WrongDocumentsAreToldToo) {
  const auto read = [](const std::string& text, const char* kind) {
    return message_of([&] { read_items(text, kind, "d.json"); });
  };
  EXPECT_THAT(read("[{\"question\": \"Q\"}]", "generate"), HasSubstr("d.json: item 1: no answer (answers, answer, "));
  EXPECT_THAT(read("{\"questions\": [\n]}", "generate"), HasSubstr("or as \"data\""));
  EXPECT_THAT(read("[{\"question\": 1,}]", "generate"), HasSubstr("d.json:1:"));
  EXPECT_THAT(read(kSquad, "choice"), HasSubstr("are a task of kind generate"));
  EXPECT_THAT(read("", "choice"), HasSubstr("there is no question"));
  EXPECT_THAT(read("[]", "choice"), HasSubstr("there is no question"));
  EXPECT_THAT(read("{\"data\": [{\"paragraphs\": [{\"qas\": []}]}]}", "generate"),
              HasSubstr("a paragraph must have 'context' and 'qas'"));
  EXPECT_THAT(read("{\"context\": \"x\", \"continuation\": \"\"}", "continue"),
              HasSubstr("d.json:1: 'continuation' is empty"));
}

}  // namespace
}  // namespace bitsweep::tasks
