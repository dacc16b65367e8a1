#include "cli/invocation.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::cli {
namespace {

const std::vector<std::string> kCommon{"--root", "--json", "--quiet"};

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorKind::input, fmt::format("bitsweep: {} (see 'bitsweep --help')", message));
}

[[noreturn]] void fail_unknown(const std::string& name) {
  std::vector<std::string> known = kCommon;
  known.insert(known.end(), {"--help", "--version"});
  fail(fmt::format("unknown option '{}' before the verb, where only --root DIR, --json and --quiet may stand{}", name,
                   did_you_mean(name, known)));
}

}  // namespace

bool is_common_option(const std::string& name) {
  return std::find(kCommon.begin(), kCommon.end(), name) != kCommon.end();
}

Invocation parse_invocation(const std::vector<std::string>& words) {
  Invocation invocation;
  size_t i = 0;
  for (; i < words.size() && words[i].size() > 1 && words[i].starts_with('-'); ++i) {
    const std::string& word = words[i];
    if (word == "--help" || word == "-h" || word == "--version") {
      invocation.verb = word == "-h" ? "--help" : word;
      return invocation;
    }
    const size_t equals = word.find('=');
    const std::string name = word == "-q" ? "--quiet" : word.substr(0, equals);
    if (!is_common_option(name)) fail_unknown(name);
    const bool with_value = equals != std::string::npos;
    if (name != "--root" && with_value) fail(fmt::format("option '{}' takes no value", name));
    if (name != "--root" || with_value) {
      if (name == "--root" && equals + 1 == word.size()) fail("option '--root' needs a folder: --root DIR");
      invocation.args.push_back(name == "--root" ? word : name);
      continue;
    }
    if (i + 1 == words.size() || words[i + 1].empty() || words[i + 1].starts_with("--"))
      fail("option '--root' needs a folder: --root DIR");
    invocation.args.push_back("--root=" + words[++i]);
  }
  if (i == words.size()) {
    if (i > 0) fail(fmt::format("a verb is missing behind '{}', such as 'bitsweep {} runs'", words.back(),
                                fmt::join(words, " ")));
    return invocation;
  }
  invocation.verb = words[i];
  invocation.args.insert(invocation.args.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
  return invocation;
}

}  // namespace bitsweep::cli
