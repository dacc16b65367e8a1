// The wings of core and what is kept to one room: the way of the data, SQL, printing.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>

#include "structure/source_tree.h"

namespace bitsweep {
namespace {

// In the order of the way of the data.
const std::vector<std::string> kWings = {"base", "sweep", "queue", "model", "laws", "show"};

// What a wing may include beside itself.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"sweep", {"base"}},
    {"queue", {"base", "sweep"}},
    {"model", {"base", "sweep"}},
    {"laws", {"base", "sweep", "queue"}},
    {"show", {"base", "sweep", "queue", "model", "laws"}},
};

// What a run says (room event) is the one word between the worker and the queue.
bool wing_allows(const std::string& wing, const std::string& other_wing, const std::string& other_room) {
  if (wing == other_wing || kMayInclude.at(wing).contains(other_wing)) return true;
  return wing == "model" && other_room == "event";
}

TEST(Wings, CoreHoldsThemAndNothingElse) {
  std::set<std::string> found;
  for (const SourceFile& file : files_below("core/")) {
    const fs::path path(file.path);
    if (std::distance(path.begin(), path.end()) > 2) found.insert(*std::next(path.begin()));
  }
  std::set<std::string> expected(kWings.begin(), kWings.end());
  expected.insert("package");  // holds no code
  EXPECT_EQ(found, expected);
}

TEST(Wings, EveryRoomLiesInItsWing) {
  for (const auto& [room, rule] : dependency_table()) {
    if (room == "plugins") continue;
    const std::string folder = room == "base" ? "core/base/" : "core/" + rule.wing + "/" + room + "/";
    EXPECT_FALSE(files_below(folder).empty()) << room << " is said to lie in " << folder;
  }
}

TEST(Wings, ARoomIncludesItsOwnWingAndThoseTheDataCameThrough) {
  const auto table = dependency_table();
  for (const auto& [room, rule] : table) {
    if (room == "plugins") continue;
    for (const std::string& other : rule.may_include)
      EXPECT_TRUE(wing_allows(rule.wing, table.at(other).wing, other))
          << room << " of wing " << rule.wing << " may not include " << other << " of wing " << table.at(other).wing;
  }
}

TEST(Wings, RulesRefuseWhatTheyShould) {
  EXPECT_TRUE(wing_allows("laws", "queue", "query"));
  EXPECT_TRUE(wing_allows("model", "queue", "event"));
  EXPECT_FALSE(wing_allows("model", "queue", "store"));
  EXPECT_FALSE(wing_allows("queue", "laws", "fit"));
  EXPECT_FALSE(wing_allows("laws", "show", "render"));
}

TEST(Wings, TestsMirrorTheRooms) {
  for (const SourceFile& file : files_below("tests/")) {
    const fs::path path(file.path);
    if (std::distance(path.begin(), path.end()) < 4) continue;
    const std::string wing = *std::next(path.begin()), room = *std::next(path.begin(), 2);
    if (std::find(kWings.begin(), kWings.end(), wing) == kWings.end() || wing == "base") continue;
    EXPECT_FALSE(files_below("core/" + wing + "/" + room + "/").empty()) << file.path << " mirrors no room";
  }
}

// What a room declares is in its own namespace, so that a name says where it lives and two rooms may use one word.
TEST(Rooms, EachHasItsNamespace) {
  const std::regex opens(R"(^namespace (bitsweep[\w:]*) \{)");
  int seen = 0;
  for (const SourceFile& file : project_files()) {
    const std::string room = room_of(file.path);
    if (!file.is_code() || room.empty() || room == "plugins") continue;
    const std::string own = room == "base" ? "bitsweep" : "bitsweep::" + room;
    bool found = false, other = false;
    file.each_line([&](std::string_view line, int) {
      std::match_results<std::string_view::const_iterator> match;
      if (!std::regex_search(line.begin(), line.end(), match, opens)) return;
      found |= match[1] == own;
      other |= match[1] == "bitsweep" && own != "bitsweep";
    });
    seen += found;
    EXPECT_FALSE(other) << file.path << " declares in bitsweep what belongs to " << own;
  }
  EXPECT_GT(seen, 300);
}

// Lines of these rooms that match, but for those of the files named.
std::vector<std::string> found_outside(const std::regex& pattern, const std::set<std::string>& rooms,
                                       const std::set<std::string>& files = {}) {
  std::vector<std::string> found;
  for (const SourceFile& file : project_files()) {
    if (!file.is_code() || !file.path.starts_with("core/") || rooms.contains(room_of(file.path))) continue;
    if (files.contains(fs::path(file.path).filename())) continue;
    file.each_line([&](std::string_view line, int number) {
      if (std::regex_search(line.begin(), line.end(), pattern)) found.push_back(file.at(number));
    });
  }
  return found;
}

TEST(Rooms, OnlyStoreAndQueryPrepareStatements) {
  const std::regex statement(R"(\.prepare\(|\bStatement\b|\.(integer|execute)\(\s*"[A-Z]{4}|sqlite3_)");
  EXPECT_EQ(found_outside(statement, {"store", "query"}), std::vector<std::string>{});
}

// Code below the verbs tells a `Notes` sink (base/notes.h). The shim, the worker and bitsweep-parquet are programs of
// their own, whose output is a run's log or a column.
TEST(Rooms, OnlyProgramsPrint) {
  const std::regex printing(
      R"(\bfmt::print\(|\bprint(_error)?\(|std::(cout|cerr|clog)\b|\b(puts|fputs|fprintf|printf)\()");
  EXPECT_EQ(found_outside(printing, {"cli", "worker", "columns"}, {"shim.cpp"}), std::vector<std::string>{});
}

}  // namespace
}  // namespace bitsweep
