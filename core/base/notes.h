// Where code below the verbs says things to a person: what takes long, what they should know, what is wrong but hinders
// nothing. The verbs print them, a page or a test collects them; nobody else prints.
#pragma once

#include <string>
#include <vector>

namespace bitsweep {

class Notes {
 public:
  enum class Kind { progress, note, warning };

  virtual ~Notes() = default;
  virtual void add(Kind kind, std::string text) = 0;

  void progress(std::string text) { add(Kind::progress, std::move(text)); }  // what is being done, where it takes long
  void note(std::string text) { add(Kind::note, std::move(text)); }          // what a person should know
  void warning(std::string text) { add(Kind::warning, std::move(text)); }    // what went wrong, and hinders nothing
};

// Keeps them.
class CollectedNotes : public Notes {
 public:
  struct Note {
    Kind kind;
    std::string text;
  };
  void add(Kind kind, std::string text) override { all_.push_back({kind, std::move(text)}); }
  const std::vector<Note>& all() const { return all_; }

 private:
  std::vector<Note> all_;
};

}  // namespace bitsweep
