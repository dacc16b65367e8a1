// Anchors that are Python programs: they run in $PYTHON (python3 where it is not set), print one JSON object, and are
// never needed.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/json.h"

namespace bitsweep {

inline std::string python_program() {
  const char* python = std::getenv("PYTHON");
  return python != nullptr ? python : "python3";
}

// What the script prints; nothing when it, or a package that it needs, is not there.
inline std::optional<json::object> python_anchor(const std::string& script, const std::string& argument) {
  const std::string command = fmt::format("'{}' '{}' '{}' 2>/dev/null", python_program(), script, argument);
  std::string text;
  if (FILE* pipe = ::popen(command.c_str(), "r")) {
    char buffer[4096];
    for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
    if (::pclose(pipe) != 0) text.clear();
  }
  if (text.empty()) return std::nullopt;
  return json::parse(text).as_object();
}

}  // namespace bitsweep
