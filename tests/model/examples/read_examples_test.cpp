#include "examples/read_examples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace bitsweep::examples {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// "[read]said[read]said": what stands in an example.
std::string shown(const Example& example) {
  std::string text;
  for (const Example::Part& part : example.parts) text += part.said ? "<" + part.text + ">" : part.text;
  return text;
}

std::string one(std::string_view line, const ExampleLayout& layout = {}) {
  const ExampleSet set = read_examples(line, layout, "f.jsonl");
  EXPECT_EQ(set.examples.size(), 1u);
  return shown(set.examples.at(0));
}

std::string refusal(std::string_view text, const ExampleLayout& layout = {}) {
  try {
    read_examples(text, layout, "f.jsonl");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(ReadExamples, knows_prompts_with_their_answers) {
  EXPECT_EQ(one(R"({"prompt": "2+2=", "completion": " 4"})"), "2+2=< 4>");
  EXPECT_EQ(one(R"({"prompt": "Say hi.", "response": "hi"})"), "Say hi.< hi>");
}

TEST(ReadExamples, knows_instructions) {
  const std::string line = R"({"instruction": "Add.", "input": "2 2", "output": "4"})";
  EXPECT_EQ(one(line), "Add.\n2 2< 4>") << "as tasks put it where no template says otherwise";
  EXPECT_THAT(one(line, {.preset = "alpaca", .prompt = "", .answer = ""}),
              AllOf(HasSubstr("### Instruction:\nAdd.\n\n### Input:\n2 2\n\n### Response:\n<4>")));
}

TEST(ReadExamples, templates_put_the_fields) {
  EXPECT_EQ(one(R"({"question": "Who?", "answer": "Ada"})",
                {.preset = "plain", .prompt = "Q: {{question}} A:", .answer = ""}),
            "Q: Who? A:< Ada>");
  EXPECT_THAT(refusal(R"({"question": "Who?", "answer": "Ada"})",
                      {.preset = "plain", .prompt = "Q: {{questoin}}", .answer = ""}),
              testing::AllOf(HasSubstr("data.template prompt \"Q: {{questoin}}\": unknown field"),
                             HasSubstr("did you mean 'question'?")));
  EXPECT_THAT(refusal(R"({"question": "Who?", "response": "Ada"})",
                      {.preset = "plain", .prompt = "Q: {{question}} {{response}}", .answer = ""}),
              HasSubstr("field 'response' is the answer, and a prompt must not give it away; fields: context, input, "
                        "instruction, prompt, question"));
}

// The table of core/model/examples/README.md.
TEST(ReadExamples, presets_put_each_form_as_the_readme_has_it) {
  const ExampleLayout plain, chatml{.preset = "chatml", .prompt = "", .answer = ""},
      alpaca{.preset = "alpaca", .prompt = "", .answer = ""};
  const std::string prompt = R"({"prompt": "Q", "completion": "A"})",
                    both = R"({"prompt": "Q", "input": "C", "output": "A"})",
                    question = R"({"question": "Q", "answers": ["A"]})",
                    about = R"({"question": "Q", "context": "C", "answers": ["A"]})";
  const auto user = [](const std::string& text) {
    return "<|im_start|>user\n" + text + "<|im_end|>\n<|im_start|>assistant\n<A>";
  };
  EXPECT_EQ(one(prompt, plain), "Q< A>");
  EXPECT_EQ(one(both, plain), "Q\nC< A>");
  EXPECT_EQ(one(question, plain), "Question: Q\nAnswer:< A>");
  EXPECT_EQ(one(about, plain), "C\n\nQuestion: Q\nAnswer:< A>");
  EXPECT_EQ(one(prompt, chatml), user("Q"));
  EXPECT_EQ(one(both, chatml), user("Q\nC"));
  EXPECT_EQ(one(question, chatml), user("Question: Q\nAnswer:"));
  EXPECT_EQ(one(about, chatml), user("C\n\nQuestion: Q\nAnswer:"));
  for (const std::string& bare : {prompt, question})
    EXPECT_THAT(one(bare, alpaca), testing::EndsWith("completes the request.\n\n### Instruction:\nQ\n\n### "
                                                     "Response:\n<A>"));
  for (const std::string& with : {both, about})
    EXPECT_THAT(one(with, alpaca), testing::EndsWith("completes the request.\n\n### Instruction:\nQ\n\n### "
                                                     "Input:\nC\n\n### Response:\n<A>"));
  const std::string turns = R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}, )"
                            R"({"role": "assistant", "content": "A"}, {"role": "user", "content": "V"}, )"
                            R"({"role": "assistant", "content": "B"}]})";
  EXPECT_EQ(one(turns, alpaca),
            "S\n\n### Instruction:\nU\n\n### Response:\n<A>\n\n### Instruction:\nV\n\n### "
            "Response:\n<B>");
}

TEST(ReadExamples, of_messages_the_assistants_are_said) {
  const std::string line = R"({"messages": [{"role": "system", "content": "Be brief."},
 {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Bye"},
 {"role": "assistant", "content": "See you"}]})";
  std::string flat = line;
  std::erase(flat, '\n');
  EXPECT_EQ(one(flat), "system: Be brief.\nuser: Hi\nassistant: <Hello>\nuser: Bye\nassistant: <See you>");
  EXPECT_EQ(one(flat, {.preset = "chatml", .prompt = "", .answer = ""}),
            "<|im_start|>system\nBe "
            "brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<Hello><|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n<See you>");
}

TEST(ReadExamples, knows_conversations_and_lists) {
  EXPECT_EQ(one(R"([{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}])"),
            "user: a\nassistant: <b>");
}

TEST(ReadExamples, tells_what_is_wrong_with_the_first_of_each_kind) {
  EXPECT_THAT(refusal("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n"
                      "{\"messages\": [{\"role\": \"robot\", \"content\": \"a\"}]}\n"
                      "{\"text\": 1}\n"
                      "{\"messages\": [{\"role\": \"user\"}]}\n"
                      "{\"messages\": [{\"role\": \"user\"}]}\n"),
              AllOf(HasSubstr("f.jsonl:1: no message of the assistant"), HasSubstr("f.jsonl:2: unknown role 'robot'"),
                    HasSubstr("f.jsonl:3: no 'messages' that is a list"),
                    HasSubstr("f.jsonl:4: a message must have 'role' and 'content'"), HasSubstr("2")));
  EXPECT_THAT(refusal(R"({"messages": [{"role": "assistant", "content": "a"}]})",
                      {.preset = "plain", .prompt = "{{prompt}}", .answer = ""}),
              HasSubstr("messages are put as plain, alpaca or chatml"));
  EXPECT_THAT(refusal("{\"prompt\": \"a\"}\n"), HasSubstr("f.jsonl:1"));
  EXPECT_THAT(refusal("{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}\n{\"messages\": [}\n"),
              HasSubstr("f.jsonl:2: no JSON object: syntax error at column 15"));
}

TEST(ReadExamples, bytes_that_are_no_utf8_are_taken_as_they_stand) {
  for (const char* line : {"{\"messages\": [{\"role\": \"user\", \"content\": \"\xE9\"},"
                           " {\"role\": \"assistant\", \"content\": \"a\xFF\"}]}\n",
                           "{\"prompt\": \"\xE9\", \"completion\": \"a\xFF\"}\n"}) {
    const ExampleSet set = read_examples(line, {}, "f.jsonl");
    EXPECT_THAT(shown(set.examples.at(0)), AllOf(HasSubstr("\xE9"), testing::EndsWith("a\xFF>")));
    int told = 0;
    for (const std::string& note : set.notes) told += note.starts_with("f.jsonl: 1 line with bytes that are no UTF-8");
    EXPECT_EQ(told, 1);
  }
}

}  // namespace
}  // namespace bitsweep::examples
