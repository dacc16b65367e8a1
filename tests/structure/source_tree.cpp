#include "structure/source_tree.h"

#include <algorithm>
#include <stdexcept>

#include "base/files.h"

namespace bitsweep {
namespace {

std::string trimmed(std::string text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(trimmed(std::string(text.substr(begin, end - begin))));
    begin = end + 1;
  }
  return parts;
}

std::set<std::string> cell_names(const std::string& cell) {
  std::set<std::string> names;
  for (const std::string& name : split(cell, ',')) {
    if (!name.empty() && name != "-") names.insert(name);
  }
  return names;
}

// A folder that git ignores, or that holds git itself.
bool is_left_out(const std::string& path) {
  return path == ".git" || path == "build" || path.starts_with("build-") || path == "results" || path == "reports" ||
         path == "third_party/libtorch" || path.starts_with("third_party/.libtorch") || path == "third_party/parquet" ||
         path.starts_with("third_party/.parquet");
}

void collect(const fs::path& folder, std::vector<SourceFile>& files) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string path = fs::relative(entry.path(), project_folder()).generic_string();
    if (is_left_out(path) || entry.is_symlink()) continue;
    if (entry.is_directory()) {
      collect(entry.path(), files);
    } else if (entry.is_regular_file()) {
      std::string text = read_file(entry.path());
      if (text.find('\0') == std::string::npos) files.push_back({path, std::move(text)});
    }
  }
}

}  // namespace

bool SourceFile::is_code() const { return path.ends_with(".h") || path.ends_with(".cpp") || path.ends_with(".cu"); }

fs::path project_folder() { return BITSWEEP_SOURCE_DIR; }

const std::vector<SourceFile>& project_files() {
  static const std::vector<SourceFile> files = [] {
    std::vector<SourceFile> found;
    collect(project_folder(), found);
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return found;
  }();
  return files;
}

std::vector<SourceFile> files_below(const std::string& folder) {
  std::vector<SourceFile> below;
  for (const SourceFile& file : project_files()) {
    if (file.path.starts_with(folder)) below.push_back(file);
  }
  return below;
}

std::map<std::string, RoomRule> dependency_table() {
  const std::string text = read_file(project_folder() / "core" / "README.md");
  const size_t begin = text.find("<!-- dependencies -->"), end = text.find("<!-- /dependencies -->");
  if (begin == std::string::npos || end == std::string::npos) {
    throw std::runtime_error("core/README.md has no table between <!-- dependencies --> and <!-- /dependencies -->");
  }
  std::map<std::string, RoomRule> table;
  for (const std::string& line : split(std::string_view(text).substr(begin, end - begin), '\n')) {
    const auto cells = split(line, '|');  // "" wing room in-and-out may-include libraries ""
    if (cells.size() != 7 || cells[1] == "wing" || cells[1].starts_with("---")) continue;
    table[cells[2]] = {cells[1], cell_names(cells[4]), cell_names(cells[5])};
  }
  return table;
}

std::string room_of(const std::string& path) {
  const auto parts = split(path, '/');
  if (parts.size() == 3 && parts[0] == "core") return parts[1];
  if (parts.size() > 3 && parts[0] == "core") return parts[2];
  if (parts.size() >= 3 && parts[0] == "plugins") return "plugins";
  return "";
}

}  // namespace bitsweep
