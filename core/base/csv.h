// Text tables as spreadsheets and scripts write them, cell by cell with their places.
//
// Understood: a byte-order mark; LF, CRLF and CR line ends; comma, semicolon or tab, found from the header; "quoted"
// cells with "" inside and line breaks inside; blank lines and lines that start with '#'.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace bitsweep {

// Collects what is wrong with a file; beyond the first fifty findings it says how many more there are.
// A mistake that many lines share is told once: at its first place, with how many more there are like it.
class Findings {
 public:
  explicit Findings(std::string name) : name_(std::move(name)) {}
  void add(int line, int column, std::string message);
  // Of the findings of one `kind` only the first message is kept, and counted.
  void add_kind(const std::string& kind, int line, int column, std::string message);
  bool any() const { return count_ > 0; }
  void throw_if_any();  // Error{input}
  // The same as diagnostics, for one Error over several files.
  std::vector<Diagnostic> take();

 private:
  std::string name_;
  struct Kind {
    size_t at = 0;  // into found_; beyond its end where the first was not kept
    size_t more = 0;
  };
  std::vector<Diagnostic> found_;
  std::map<std::string, Kind> kinds_;
  size_t count_ = 0;
};

struct CsvCell {
  std::string text;          // without quotes and the spaces around it
  int line = 0, column = 0;  // from 1, in bytes
  bool quoted = false;
};
using CsvRow = std::vector<CsvCell>;

struct CsvTable {
  std::vector<CsvRow> rows;  // the header first
  char delimiter = ',';
};
// Rows may differ in length. Adds quotes that are never closed, and text after a closing one.
CsvTable read_csv(std::string_view text, Findings& findings);

// What bytes are that are no text, by how they begin (file_sign.h), and what to do: "gzip-compressed data; unpack it
// first: gunzip FILE"; "" for text. A file of zero bytes here and there is none either.
std::string not_text(std::string_view bytes);

// "3,14" as "3.14" where commas do not separate cells.
std::string with_decimal_point(std::string text, char delimiter);

// What is shown of a cell in a message: short, and nothing that would move the terminal's cursor.
std::string excerpt(const std::string& text);

// Without the spaces and tabs around it.
std::string trimmed(const std::string& text);

}  // namespace bitsweep
