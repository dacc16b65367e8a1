// What the project's text may not hold, and what its folders must.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "structure/source_tree.h"

namespace bitsweep {
namespace {

// Patterns are put together from halves so that this file does not hold what it looks for.
void expect_nowhere(const std::regex& pattern, const std::vector<SourceFile>& files, const std::string& why) {
  for (const SourceFile& file : files) {
    file.each_line([&](std::string_view line, int number) {
      std::cmatch match;
      EXPECT_FALSE(std::regex_search(line.data(), line.data() + line.size(), match, pattern))
          << file.at(number) << ": '" << match.str() << "': " << why;
    });
  }
}

std::vector<SourceFile> code_of_core_and_plugins() {
  std::vector<SourceFile> files;
  for (const SourceFile& file : project_files()) {
    if (file.is_code() && !room_of(file.path).empty()) files.push_back(file);
  }
  return files;
}

TEST(Text, TreeIsSeen) {
  EXPECT_GT(project_files().size(), 50u);
  EXPECT_GT(code_of_core_and_plugins().size(), 30u);
}

TEST(Text, EveryFolderSaysWhatComesInAndGoesOut) {
  std::set<std::string> folders;
  for (const SourceFile& file : project_files()) {
    const fs::path folder = fs::path(file.path).parent_path();
    if (!room_of(file.path).empty() && folder != "plugins" &&
        (file.path.ends_with("/CMakeLists.txt") || file.path.ends_with("/plugin.yaml")))
      folders.insert(folder);
  }
  for (const std::string top : {"core", "plugins", "experiments", "sweeps", "tests", "third_party"})
    folders.insert(top);
  EXPECT_GT(folders.size(), 15u);
  for (const std::string& folder : folders) {
    const auto readme = files_below(folder + "/README.md");
    ASSERT_EQ(readme.size(), 1u) << folder << " has no README.md";
    if (!folder.starts_with("core")) continue;
    const std::string first = readme[0].text.substr(0, readme[0].text.find('\n'));
    EXPECT_TRUE(first.starts_with("In: ") && first.find(" Out: ") != std::string::npos)
        << folder << "/README.md opens with: " << first;
  }
}

TEST(Text, NoPathOrHostOfOneMachine) {
  // a folder at the root that only somebody's machine has; the same name inside a longer path is fine
  expect_nowhere(std::regex(std::string("(^|[^A-Za-z0-9_.})…/-])/(wo") + "rk|ro" + "ot|ho" + "me)/[A-Za-z0-9_.]"),
                 project_files(), "a path of one machine");
  expect_nowhere(std::regex(std::string("https?://([0-9]+\\.[0-9]+\\.|[^/ ]*(regi") + "stry|arti" + "factory|nex" +
                            "us|\\.inter" + "nal|\\.co" + "rp)[./:])"),
                 project_files(), "a host that others cannot reach");
}

TEST(Text, NothingIsLeftForLater) {
  expect_nowhere(std::regex(std::string("\\b(TO") + "DO|FIX" + "ME|HA" + "CK)\\b|\\bfor " + "now\\b"), project_files(),
                 "finish it or leave it out");
}

TEST(Text, NothingBelowMainEndsTheProgram) {
  std::vector<SourceFile> files = code_of_core_and_plugins();
  std::erase_if(files, [](const SourceFile& file) { return file.path.ends_with("main.cpp"); });
  // _exit after fork is another thing
  expect_nowhere(std::regex(R"((^|[^\w.>])(std::|::)?(exit|abort|quick_exit|terminate)\([^)])"), files,
                 "throw an Error");
}

TEST(Text, NumbersAreReadWithoutTheLocale) {
  expect_nowhere(std::regex(R"(\b(sto[df]|stold|strto[df]|strtold|atof|setlocale|sscanf)\s*\()"),
                 code_of_core_and_plugins(), "use std::from_chars or base/units.h");
}

TEST(Text, NoMergeIsLeftHalfDone) {
  const std::string ours = std::string(7, '<') + ' ', theirs = std::string(7, '>') + ' ';
  for (const SourceFile& file : project_files())
    file.each_line([&](std::string_view line, int number) {
      EXPECT_FALSE(line.starts_with(ours) || line.starts_with(theirs)) << file.at(number);
    });
}

TEST(Text, FilesAreOneThingAndLinesFitTheScreen) {
  for (const SourceFile& file : project_files()) {
    if (!file.is_code()) continue;
    int lines = 0;
    file.each_line([&](std::string_view line, int number) {
      lines = number;
      const auto characters = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
      EXPECT_LE(characters, 120) << file.at(number);
    });
    EXPECT_LE(lines, 400) << file.path;
  }
}

// Two types of one name and namespace are one to the linker, which keeps either's destructor.
TEST(Text, NoTwoHeadersOfARoomNameTheSameType) {
  const std::regex type(R"(^(struct|class|enum class) (\w+)[^;]*\{)");
  std::map<std::string, std::vector<std::string>> found;  // "fit::Point" -> where
  for (const SourceFile& file : project_files()) {
    if (!file.path.starts_with("core/") || !file.path.ends_with(".h")) continue;
    file.each_line([&](std::string_view line, int number) {
      std::cmatch match;
      if (std::regex_search(line.data(), line.data() + line.size(), match, type))
        found[room_of(file.path) + "::" + match[2].str()].push_back(file.at(number));
    });
  }
  EXPECT_GT(found.size(), 200u);
  for (const auto& [name, places] : found)
    EXPECT_EQ(places.size(), 1u) << name << " in " << places.front() << " and " << places.back();
}

TEST(Text, EverySourceFileIsBuilt) {
  for (const SourceFile& file : project_files()) {
    if (!file.path.ends_with(".cpp") || file.path.starts_with("tests/fuzz/")) continue;
    const fs::path path(file.path);
    bool named = false;
    for (fs::path folder = path.parent_path(); !folder.empty() && !named; folder = folder.parent_path()) {
      for (const SourceFile& list : files_below((folder / "CMakeLists.txt").string())) {
        named = list.text.find(path.stem().string()) != std::string::npos;
      }
    }
    EXPECT_TRUE(named) << file.path << " is in no CMakeLists.txt";
  }
}

TEST(Text, EveryTestFolderHasTestsInEveryFile) {
  for (const SourceFile& file : files_below("tests/")) {
    if (!file.path.ends_with("_test.cpp")) continue;
    EXPECT_TRUE(std::regex_search(file.text, std::regex(R"((^|\n)\s*(TYPED_)?TEST(_F|_P)?\()"))) << file.path;
  }
}

}  // namespace
}  // namespace bitsweep
