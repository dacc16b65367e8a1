// Glob patterns over relative paths. Pure, linear in pattern × path, independent of the locale.
//
//   *  any characters but '/'      ?  one character but '/'     [a-z] [!a-z]  one character of a set, never '/'
//   ** any characters, '/' too     **/ nothing or whole folders {h,cpp}  one of these, not nested
//   \x the character x
// A pattern without '/' is matched against the file's name in any folder, one with '/' against the whole relative
// path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::data {

class Glob {
 public:
  // Throws Error{input} for an unclosed [ or {, nested braces, or more than 256 alternatives.
  explicit Glob(std::string_view pattern);
  bool matches(std::string_view relative_path) const;

 private:
  std::vector<std::string> alternatives_;  // braces expanded
  bool whole_path_;
};

}  // namespace bitsweep::data
