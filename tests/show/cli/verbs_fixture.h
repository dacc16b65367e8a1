// A root with a small sweep, and verbs called on it as a person does.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "query/query_fixture.h"

namespace bitsweep::cli {

class HistoryVerbs : public query::QueryTest {
 protected:
  std::string call(const Verb& verb, std::vector<std::string> args, int code = 0) {
    args.insert(args.end(), {"--root", root.string()});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int got = 0;
    try {
      got = verb.run(verb, args);
    } catch (...) {
      testing::internal::GetCapturedStdout();
      testing::internal::GetCapturedStderr();
      throw;
    }
    errors = testing::internal::GetCapturedStderr();
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(got, code) << out << errors;
    return out;
  }
  std::string file(const std::string& name, const std::string& text) {
    const fs::path path = root / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string errors;
};

}  // namespace bitsweep::cli
