#include "base/nearest.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep {

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> before_last, last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

namespace {

// What a word was cut short of: 'tau' for 'tau_start'. Two letters begin too many words.
std::string shortest_beginning_with(std::string_view word, const std::vector<std::string>& known) {
  std::string found;
  if (word.size() < 3) return found;
  for (const std::string& candidate : known)
    if (candidate.starts_with(word) && (found.empty() || candidate.size() < found.size())) found = candidate;
  return found;
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 200) return "";
  int best = std::max<int>(2, static_cast<int>(word.size()) / 3) + 1;
  std::string found;
  for (const std::string& candidate : known) {
    const int distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found.empty() ? shortest_beginning_with(word, known) : found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string found = nearest_word(word, known);
  return found.empty() ? "" : fmt::format("; did you mean '{}'?", found);
}

}  // namespace bitsweep
