// One example to fine-tune on: what is read, and what is to be said.
#pragma once

#include <string>
#include <vector>

namespace bitsweep::examples {

// A text in parts that are encoded each for itself. Of the parts that are to be said (answers) the loss is taken, with
// an end behind each.
struct Example {
  struct Part {
    std::string text;
    bool said = false;
  };
  std::vector<Part> parts;  // the last one is said
};

// Those of a file, in its order.
struct ExampleSet {
  std::string form;  // "prompt, completion": by which keys the file was known
  std::vector<Example> examples;
  std::vector<std::string> notes;  // what a person should know, a sentence each
};

}  // namespace bitsweep::examples
