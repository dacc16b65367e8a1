#include "data/glob.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep::data {
namespace {

constexpr size_t max_alternatives = 256;

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw Error(ErrorKind::input, fmt::format("data.glob '{}': {}", pattern, why));
}

// The end of the set that begins at pattern[at] == '[': one past its ']', or npos. A ']' right after '[' or '[!' is a
// member of the set.
size_t set_end(std::string_view pattern, size_t at) {
  size_t i = at + 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  const size_t close = pattern.find(']', i + 1);
  return close == std::string_view::npos ? close : close + 1;
}

bool in_set(std::string_view set, char c) {  // set: "[…]"
  size_t i = 1;
  const bool negated = set[i] == '!' || set[i] == '^';
  if (negated) ++i;
  bool found = false;
  const auto byte = [](char x) { return static_cast<unsigned char>(x); };
  while (i + 1 < set.size()) {
    if (i + 3 < set.size() && set[i + 1] == '-') {
      found |= byte(set[i]) <= byte(c) && byte(c) <= byte(set[i + 2]);
      i += 3;
    } else {
      found |= set[i++] == c;
    }
  }
  return found != negated && c != '/';
}

// Where an unescaped `wanted` stands outside sets, from `i` on.
size_t find_plain(std::string_view pattern, std::string_view wanted, size_t i) {
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (wanted.find(pattern[i]) != std::string_view::npos) {
      return i;
    } else if (pattern[i] == '[') {
      const size_t end = set_end(pattern, i);
      if (end != std::string_view::npos) i = end - 1;
    }
  }
  return std::string_view::npos;
}

std::vector<std::string> expand_braces(std::string_view pattern) {
  std::vector<std::string> expanded{""};
  const auto append = [&](const std::vector<std::string>& parts) {
    std::vector<std::string> product;
    for (const std::string& head : expanded)
      for (const std::string& part : parts) product.push_back(head + part);
    if (product.size() > max_alternatives) refuse(pattern, fmt::format("more than {} alternatives", max_alternatives));
    expanded = std::move(product);
  };
  size_t at = 0;
  for (;;) {
    const size_t open = find_plain(pattern, "{", at);
    append({std::string(pattern.substr(at, open - at))});
    if (open == std::string_view::npos) return expanded;
    std::vector<std::string> parts;
    for (size_t begin = open + 1;;) {
      const size_t end = find_plain(pattern, ",{}", begin);
      if (end == std::string_view::npos) refuse(pattern, "'{' without '}'");
      if (pattern[end] == '{') refuse(pattern, "braces within braces");
      parts.emplace_back(pattern.substr(begin, end - begin));
      begin = at = end + 1;
      if (pattern[end] == '}') break;
    }
    append(parts);
  }
}

// Runs the pattern as a nondeterministic automaton: `reached` holds every place of the pattern that the text so far
// can stand at. No pattern takes longer than pattern × text.
class Matcher {
 public:
  explicit Matcher(std::string_view pattern)
      : pattern_(pattern), reached_(pattern.size() + 1), next_(pattern.size() + 1) {}

  bool matches(std::string_view text) {
    enter(reached_, 0);
    for (size_t i = 0; i < text.size(); ++i) {
      const bool folder_done = text[i] == '/';
      for (size_t p = 0; p < pattern_.size(); ++p)
        if (reached_[p]) step(p, text[i], folder_done);
      reached_.swap(next_);
      std::fill(next_.begin(), next_.end(), false);
    }
    return reached_[pattern_.size()];
  }

 private:
  bool starts(size_t p, std::string_view what) const { return pattern_.substr(p, what.size()) == what; }
  bool folders_at(size_t p) const { return starts(p, "**/") && (p == 0 || pattern_[p - 1] == '/'); }

  // Marks p and every place reachable from it without a character.
  void enter(std::vector<bool>& places, size_t p) {
    if (places[p]) return;
    places[p] = true;
    if (folders_at(p)) return enter(places, p + 3);
    if (starts(p, "**")) return enter(places, p + 2);
    if (starts(p, "*")) return enter(places, p + 1);
  }

  void step(size_t p, char c, bool folder_done) {
    if (folders_at(p)) {
      next_[p] = true;  // inside a folder's name: not at the place after it
      if (folder_done) enter(next_, p + 3);
    } else if (starts(p, "**")) {
      enter(next_, p);
    } else if (pattern_[p] == '*') {
      if (c != '/') enter(next_, p);
    } else if (pattern_[p] == '?') {
      if (c != '/') enter(next_, p + 1);
    } else if (pattern_[p] == '[') {
      const size_t end = set_end(pattern_, p);
      if (in_set(pattern_.substr(p, end - p), c)) enter(next_, end);
    } else {
      const bool escaped = pattern_[p] == '\\' && p + 1 < pattern_.size();
      if (pattern_[p + escaped] == c) enter(next_, p + escaped + 1);
    }
  }

  std::string_view pattern_;
  std::vector<bool> reached_, next_;
};

}  // namespace

Glob::Glob(std::string_view pattern) : alternatives_(expand_braces(pattern)) {
  whole_path_ = find_plain(pattern, "/", 0) != std::string_view::npos;
  for (const std::string& alternative : alternatives_)
    for (size_t i = find_plain(alternative, "[", 0); i != std::string::npos; i = find_plain(alternative, "[", i)) {
      i = set_end(alternative, i);
      if (i == std::string::npos) refuse(pattern, "'[' without ']'");
    }
}

bool Glob::matches(std::string_view path) const {
  if (!whole_path_) path = path.substr(path.rfind('/') + 1);
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const std::string& pattern) { return Matcher(pattern).matches(path); });
}

}  // namespace bitsweep::data
