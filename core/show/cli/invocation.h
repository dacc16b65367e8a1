// What a person typed, taken apart: the verb, and its arguments with what stood before the verb put in front of them.
#pragma once

#include <string>
#include <vector>

namespace bitsweep::cli {

struct Invocation {
  std::string verb;  // "": none was given; "--help" and "--version" for these
  std::vector<std::string> args;
};

// `--root DIR`, `--root=DIR`, `--json`, `--quiet` and `-q` may stand before the verb; whether it takes them is for the
// verb to say. Throws Error{input} for any other option there, naming the nearest, for --root without a folder, and
// for options without a verb.
Invocation parse_invocation(const std::vector<std::string>& words);

// Whether most verbs have this option ("--json"), so that a verb without it says that it has none.
bool is_common_option(const std::string& name);

}  // namespace bitsweep::cli
