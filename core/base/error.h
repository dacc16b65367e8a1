// Errors of bitsweep: one exception type that carries every diagnostic found, and the exit code it leads to.
//
// A bad input is thrown once, after everything wrong with it has been collected. Programmer errors assert.
// Nothing below main() calls exit().
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace bitsweep {

// The value is the exit code of the program.
enum class ErrorKind : int {
  failed = 1,        // it ran, and some run failed or a check did not hold
  input = 2,         // bad input or usage
  environment = 3,   // something of the machine is missing; the message names what mends it
  refused = 4,       // the database is in use, newer, or on a network filesystem
  interrupted = 130,
};

// One finding. Printed as "file:line:column: message"; the parts that are unknown are left out.
struct Diagnostic {
  std::string file = {};
  int line = 0;    // from 1; 0: unknown
  int column = 0;  // from 1; 0: unknown
  std::string message = {};

  std::string to_string() const;
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message);
  Error(ErrorKind kind, std::vector<Diagnostic> diagnostics);

  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  // All diagnostics, one a line.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorKind kind_;
  std::vector<Diagnostic> diagnostics_;
  std::string text_;
};

}  // namespace bitsweep
