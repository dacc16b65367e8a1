// The project's own files, as the structure tests see them, and the table of core/README.md.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bitsweep {

namespace fs = std::filesystem;

struct SourceFile {
  std::string path;  // below the project's folder
  std::string text;

  // Calls visit(line, number) for each line, numbers from 1.
  template <class Visit>
  void each_line(Visit visit) const {
    size_t begin = 0;
    for (int number = 1; begin < text.size(); ++number) {
      size_t end = text.find('\n', begin);
      if (end == std::string::npos) end = text.size();
      visit(std::string_view(text).substr(begin, end - begin), number);
      begin = end + 1;
    }
  }
  std::string at(int line) const { return path + ":" + std::to_string(line); }
  bool is_code() const;  // C++
};

fs::path project_folder();

// All text files of the project: what git would track. Build folders, the fetched LibTorch, results and the corpora's
// cache are left out; so are files with a NUL byte.
const std::vector<SourceFile>& project_files();

// Those below a folder ("core/base/").
std::vector<SourceFile> files_below(const std::string& folder);

struct RoomRule {
  std::string wing;  // its folder below core/; "base" is both a wing and a room
  std::set<std::string> may_include;
  std::set<std::string> libraries;
};

// The table between the markers of core/README.md: room → rule.
std::map<std::string, RoomRule> dependency_table();

// "core/base/x.h" → "base"; "core/laws/fit/x.h" → "fit"; "plugins/v57/model.h" → "plugins"; else "".
std::string room_of(const std::string& path);

}  // namespace bitsweep
