// Includes across folders and of outside libraries keep to the table of core/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <regex>

#include "structure/source_tree.h"

namespace bitsweep {
namespace {

struct Include {
  std::string header;
  bool quoted = false;
  int line = 0;
};

std::vector<Include> includes_of(const SourceFile& file) {
  static const std::regex pattern(R"(^\s*#\s*include\s*(["<])([^">]+)[">].*)");
  std::vector<Include> includes;
  file.each_line([&](std::string_view line, int number) {
    std::cmatch match;
    if (line.find("include") == std::string_view::npos) return;
    if (std::regex_match(line.data(), line.data() + line.size(), match, pattern)) {
      includes.push_back({match[2], match[1] == "\"", number});
    }
  });
  return includes;
}

// The library that a header belongs to, for those that are kept to a folder.
std::optional<std::string> library_of(const std::string& header) {
  static const std::vector<std::pair<std::string, std::string>> prefixes = {
      {"sqlite3", "SQLite"},
      {"yaml-cpp/", "yaml-cpp"},
      {"boost/process", "Boost.Process"},
      {"boost/program_options", "Boost.Program_options"},
      {"Eigen/", "Eigen"},
      {"nettle/", "nettle"},
      {"zlib.h", "zlib"},
      {"zstd.h", "zstd"},
      {"pcre2.h", "PCRE2"},
      {"utf8proc.h", "utf8proc"},
      {"sentencepiece_", "SentencePiece"},
      {"arrow/", "Arrow"},
      {"parquet/", "Arrow"},
      {"torch/headeronly/version.h", "LibTorch version"},
      {"torch/", "LibTorch"},
      {"ATen/", "LibTorch"},
      {"c10/", "LibTorch"},
  };
  for (const auto& [prefix, library] : prefixes) {
    if (header.starts_with(prefix)) return library;
  }
  return std::nullopt;
}

bool allows(const RoomRule& rule, const std::string& library) {
  return rule.libraries.contains(library) || (library == "LibTorch version" && rule.libraries.contains("LibTorch"));
}

// "" when the include of a file in `folder` is allowed, else what is wrong.
std::string include_problem(const std::map<std::string, RoomRule>& table, const std::string& folder,
                            const Include& include) {
  const RoomRule& rule = table.at(folder);
  if (const auto library = library_of(include.header)) {
    if (!allows(rule, *library)) return folder + " may not include " + *library + " (<" + include.header + ">)";
    return "";
  }
  if (!include.quoted) return "";
  if (include.header.find("..") != std::string::npos) return "an include goes up: \"" + include.header + "\"";
  const size_t slash = include.header.find('/');
  if (slash == std::string::npos) return "";  // a neighbour in the same folder
  const std::string other = include.header.substr(0, slash);
  if (other == folder || rule.may_include.contains(other)) return "";
  return folder + " may not include " + other + " (\"" + include.header + "\")";
}

TEST(Includes, TableNamesEveryFolderOfCoreAndNoOther) {
  std::set<std::string> folders;
  for (const SourceFile& file : files_below("core/")) {
    if (file.is_code()) folders.insert(room_of(file.path));
  }
  folders.insert("plugins");
  std::set<std::string> named;
  for (const auto& [folder, rule] : dependency_table()) named.insert(folder);
  EXPECT_EQ(named, folders);
}

TEST(Includes, TableHasNoCycle) {
  const auto table = dependency_table();
  for (const auto& [folder, rule] : table) {
    for (const std::string& other : rule.may_include) {
      ASSERT_TRUE(table.contains(other)) << folder << " names " << other << ", which the table does not have";
      EXPECT_FALSE(table.at(other).may_include.contains(folder)) << folder << " and " << other << " include each other";
    }
  }
  // A folder is ready once all it includes are; a cycle is what never becomes ready.
  std::set<std::string> ready;
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [folder, rule] : table) {
      const bool all = std::all_of(rule.may_include.begin(), rule.may_include.end(),
                                   [&](const std::string& other) { return ready.contains(other); });
      if (all && ready.insert(folder).second) grew = true;
    }
  }
  EXPECT_EQ(ready.size(), table.size());
}

TEST(Includes, KeepToTheTable) {
  const auto table = dependency_table();
  int seen = 0;
  for (const SourceFile& file : project_files()) {
    const std::string folder = room_of(file.path);
    if (!file.is_code() || !table.contains(folder)) continue;
    for (const Include& include : includes_of(file)) {
      ++seen;
      const std::string problem = include_problem(table, folder, include);
      EXPECT_EQ(problem, "") << file.at(include.line);
    }
  }
  EXPECT_GT(seen, 100);
}

TEST(Includes, PluginsDoNotIncludeEachOther) {
  std::set<std::string> plugins;
  for (const SourceFile& file : files_below("plugins/")) {
    if (file.path.ends_with("/plugin.yaml")) plugins.insert(fs::path(file.path).parent_path().filename());
  }
  for (const SourceFile& file : files_below("plugins/")) {
    const std::string own = fs::path(file.path).parent_path().filename();
    for (const Include& include : includes_of(file)) {
      const std::string other = include.header.substr(0, include.header.find('/'));
      EXPECT_FALSE(other != own && plugins.contains(other)) << file.at(include.line) << " includes plugin " << other;
    }
  }
}

// Headers that all of core sees would spread these to every file.
TEST(Includes, OwnLibrariesStayOutOfHeadersOfBaseAndStore) {
  for (const std::string folder : {"core/base/", "core/queue/store/"}) {
    for (const SourceFile& file : files_below(folder)) {
      if (!file.path.ends_with(".h")) continue;
      for (const Include& include : includes_of(file)) {
        EXPECT_FALSE(library_of(include.header).has_value()) << file.at(include.line) << " " << include.header;
      }
    }
  }
}

// torch/torch.h costs 13 s a file where the precompiled ATen costs 3.
TEST(Includes, NobodyIncludesTheWholeOfTorch) {
  for (const std::string folder : {"core/", "plugins/"}) {
    for (const SourceFile& file : files_below(folder)) {
      for (const Include& include : includes_of(file)) {
        EXPECT_NE(include.header, "torch/torch.h") << file.at(include.line);
        EXPECT_FALSE(include.header.starts_with("torch/nn")) << file.at(include.line);
      }
    }
  }
}

TEST(Includes, RulesRefuseWhatTheyShould) {
  const std::map<std::string, RoomRule> table = {{"base", {"base", {}, {"nettle"}}}, {"plan", {"sweep", {"base"}, {}}}};
  EXPECT_EQ(include_problem(table, "plan", {"base/error.h", true, 1}), "");
  EXPECT_EQ(include_problem(table, "plan", {"plan/plan.h", true, 1}), "");
  EXPECT_EQ(include_problem(table, "plan", {"neighbour.h", true, 1}), "");
  EXPECT_EQ(include_problem(table, "base", {"nettle/sha2.h", false, 1}), "");
  EXPECT_NE(include_problem(table, "base", {"plan/plan.h", true, 1}), "");
  EXPECT_NE(include_problem(table, "plan", {"nettle/sha2.h", false, 1}), "");
  EXPECT_NE(include_problem(table, "plan", {"sqlite3.h", false, 1}), "");
  EXPECT_NE(include_problem(table, "plan", {"ATen/ATen.h", false, 1}), "");
  EXPECT_NE(include_problem(table, "plan", {"../base/error.h", true, 1}), "");
}

}  // namespace
}  // namespace bitsweep
