// Examples from a file: JSON lines or one JSON document, in the forms that instruction sets come in, known by their
// keys.
//
//   a prompt and an answer, an instruction with its input and output, a question of SQuAD: tasks/read_items.h
//   (generate) messages | conversations: turns of {role | from, content | value}; what the assistant says is the answer
//
// A template says how the sides are put, as in tasks (tasks/layout.h); messages have it of their own: plain "role:
// content" lines, chatml's marks, alpaca's headings.
#pragma once

#include <string>
#include <string_view>

#include "examples/example.h"

namespace bitsweep::examples {

struct ExampleLayout {
  std::string preset = "plain";  // plain | alpaca | chatml
  std::string prompt, answer;    // templates in its place; "": the preset's. Not of messages
};

// `name` is for messages. Throws Error{input} with a finding for each kind of mistake: where the first is, what was
// found there, and how many there are; and for a template that names no field.
ExampleSet read_examples(std::string_view text, const ExampleLayout& layout, const std::string& name);

}  // namespace bitsweep::examples
