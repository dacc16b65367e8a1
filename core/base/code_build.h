// Which build of the code a run was made by, and in words how it differs from another.
//
// A fingerprint is the beginning of a hash over machine code and constants of a shared object (plugin/fingerprint.h);
// "" is one that nobody knows: of a run that was made before they were recorded, of a file that is not there.
#pragma once

#include <string>
#include <vector>

namespace bitsweep {

struct CodeBuild {
  std::string plugin;  // of the plugin's shared object
  std::string nn;      // of the library of blocks that all plugins share

  bool known() const { return !plugin.empty() && !nn.empty(); }
  friend bool operator==(const CodeBuild&, const CodeBuild&) = default;
};

// The parts that are known of both and differ: "plugin", "libbitsweep_nn". Empty: nothing says that they differ.
inline std::vector<std::string> differing_parts(const CodeBuild& made, const CodeBuild& other) {
  std::vector<std::string> parts;
  const auto differ = [](const std::string& a, const std::string& b) { return !a.empty() && !b.empty() && a != b; };
  if (differ(made.plugin, other.plugin)) parts.emplace_back("plugin");
  if (differ(made.nn, other.nn)) parts.emplace_back("libbitsweep_nn");
  return parts;
}

// "plugin 1a2b3c4d, now 5e6f7a8b; libbitsweep_nn 1b2c3d4e, now 5f6a7b8c"; "" when nothing says that they differ.
inline std::string build_change(const CodeBuild& made, const CodeBuild& now) {
  std::string text;
  for (const std::string& part : differing_parts(made, now)) {
    const bool plugin = part == "plugin";
    const std::string &before = plugin ? made.plugin : made.nn, &after = plugin ? now.plugin : now.nn;
    text += (text.empty() ? "" : "; ") + part + " " + before.substr(0, 8) + ", now " + after.substr(0, 8);
  }
  return text;
}

}  // namespace bitsweep
