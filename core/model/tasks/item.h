// One question of a task, as its file has it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bitsweep::tasks {

struct Item {
  std::string id;  // the file's own, or its number from 1
  // What a template may name: the file's own texts and numbers, and under these names whatever the file calls them:
  //   prompt       the whole question, as it is put where no template says otherwise
  //   question     what is asked, without what it is asked about
  //   context      what it is asked about; "" where there is none
  //   instruction, input   the same two, of a preset for instructions
  std::map<std::string, std::string, std::less<>> fields;
  std::vector<std::string> choices;  // of a choice
  size_t gold = 0;                   // the right one of them
  // Of a continuation the one text; of a reply those that are right: none where the question has no answer.
  std::vector<std::string> answers;
  int64_t line = 0;  // of the file, from 1; 0 in a file that is one document

  // What a model that knows says: the right choice, the continuation, the first answer; "" for no answer.
  const std::string& right_answer() const;
};

struct ItemSet {
  std::string file;  // for messages
  std::string form;  // "query, choices, gold": the keys by which it was known
  std::vector<Item> items;
  std::vector<std::string> notes;  // what a person should know, a sentence each

  // Names that a template may use: those that every item has.
  std::vector<std::string> field_names() const;
};

}  // namespace bitsweep::tasks
