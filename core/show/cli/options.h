// The command line of one verb: declared options, positional arguments, --help with the example first, and errors that
// name the nearest option. Boost.Program_options underneath.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/notes.h"
#include "cli/verb.h"

namespace bitsweep::cli {

class CommandLine {
 public:
  explicit CommandLine(const Verb& verb);
  ~CommandLine();

  // Declarations; `name` is "json" or "follow,f" for a short form as well.
  CommandLine& flag(const char* name, const char* help);
  CommandLine& value(const char* name, const char* help);    // --name VALUE
  CommandLine& values(const char* name, const char* help);   // --name VALUE, repeatable
  CommandLine& root_option();                                // --root DIR
  CommandLine& quiet_option();                               // --quiet, -q
  CommandLine& output_options();                             // --json, --jsonl, --csv

  // What the verb reads, a line a form: --help shows them.
  CommandLine& forms(const std::vector<std::string>& lines);

  // False when --help was asked for and printed. Throws Error{input}: unknown option (with the nearest), missing value,
  // fewer than `least` or more than `most` positional arguments.
  bool parse(const std::vector<std::string>& args, size_t least = 0, size_t most = SIZE_MAX);

  bool has(const std::string& name) const;
  std::optional<std::string> get(const std::string& name) const;
  std::vector<std::string> all(const std::string& name) const;
  // Throws Error{input} when it is no number, or outside [least, most].
  std::optional<double> number(const std::string& name, double least, double most) const;
  const std::vector<std::string>& positional() const;

  // --root, else BITSWEEP_ROOT, else "results" below the current folder; absolute.
  fs::path root() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class OutputFormat { table, json, jsonl, csv };
OutputFormat output_format(const CommandLine& line);  // throws Error{input} when two are asked for

// Terminal manners: bars and colour only on a terminal, NO_COLOR kept.
bool stderr_is_terminal();
bool stdout_is_terminal();
bool colour_allowed();
bool utf8_terminal();  // by LC_ALL, LC_CTYPE, LANG

// Text to stdout, whole; throws Error{environment} when it cannot be written (a closed pipe ends quietly).
void print(std::string_view text);
void print_error(std::string_view text);  // stderr, with a newline

// Notes to stderr, a line each: progress as it is, the others behind their kind. Quiet: only what went wrong.
class PrintedNotes : public Notes {
 public:
  explicit PrintedNotes(bool quiet = false) : quiet_(quiet) {}
  void add(Kind kind, std::string text) override;

 private:
  bool quiet_;
};

}  // namespace bitsweep::cli
