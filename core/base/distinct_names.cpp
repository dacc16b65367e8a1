#include "base/distinct_names.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace bitsweep {
namespace {

// The last `count` components of a path; all of it when it has fewer.
std::string_view tail_of(std::string_view path, size_t count) {
  size_t at = path.size();
  for (; count > 0; --count) {
    if (at == 0) return path;
    at = path.rfind('/', at - 1);
    if (at == std::string_view::npos) return path;
  }
  return path.substr(at + 1);
}

size_t components_of(std::string_view path) {
  return 1 + static_cast<size_t>(std::count(path.begin(), path.end(), '/'));
}

// The fewest components of the path's end that no other path ends in.
size_t telling_components(std::string_view path, const std::set<std::string>& all) {
  for (size_t count = 1; count < components_of(path); ++count) {
    const std::string_view tail = tail_of(path, count);
    const bool shared = std::any_of(all.begin(), all.end(), [&](const std::string& other) {
      return other != path && tail_of(other, count) == tail;
    });
    if (!shared) return count;
  }
  return components_of(path);
}

std::string name_of(std::string_view path, const std::set<std::string>& all) {
  const size_t count = telling_components(path, all);
  std::string_view name = tail_of(path, count);
  if (count > 1 && name.ends_with(".so")) name.remove_suffix(3);
  return std::string(name);
}

}  // namespace

std::map<std::string, std::string> distinct_names(const std::vector<std::string>& names) {
  const std::set<std::string> all(names.begin(), names.end());
  std::map<std::string, std::string> shorter;
  for (const std::string& name : all)
    shorter.emplace(name, name.find('/') == std::string::npos ? name : name_of(name, all));
  return shorter;
}

}  // namespace bitsweep
