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
              HasSubstr("unknown field 'questoin'; did you mean 'question'?"));
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
}

}  // namespace
}  // namespace bitsweep::examples
