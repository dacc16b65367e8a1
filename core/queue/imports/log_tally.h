// What is to be said of one file: a message a kind, with its first place and how many more there are like it. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/csv.h"

namespace bitsweep::imports {

class LogTally {
 public:
  // What nobody can pass over: the file is not read.
  void mistake(const std::string& kind, int line, int column, std::string message) {
    add(kind, line, column, std::move(message), true);
  }
  // What was passed over or read in a way that a person should know.
  void note(const std::string& kind, int line, std::string message, int column = 0) {
    add(kind, line, column, std::move(message), false);
  }
  bool any_mistake() const;
  // Mistakes, and notes as well where a file is not read for another reason.
  void tell_mistakes(Findings& findings, bool notes_too) const;
  std::vector<std::string> notes() const;  // "line 5: … (and 3 more like it)"

 private:
  struct Entry {
    int line, column;
    std::string message;
    bool is_mistake;
    size_t more = 0;
  };
  void add(const std::string& kind, int line, int column, std::string message, bool is_mistake);
  std::vector<Entry> entries_;
  std::map<std::string, size_t> kinds_;
};

}  // namespace bitsweep::imports
