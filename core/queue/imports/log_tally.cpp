#include "imports/log_tally.h"

#include <algorithm>

#include <fmt/format.h>

namespace bitsweep::imports {
namespace {

std::string with_count(const std::string& message, size_t more) {
  return more == 0 ? message : fmt::format("{} (and {} more like it)", message, more);
}

}  // namespace

void LogTally::add(const std::string& kind, int line, int column, std::string message, bool is_mistake) {
  const auto [known, fresh] = kinds_.try_emplace(kind, entries_.size());
  if (fresh)
    entries_.push_back({line, column, std::move(message), is_mistake});
  else
    ++entries_[known->second].more;
}

bool LogTally::any_mistake() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.is_mistake; });
}

void LogTally::tell_mistakes(Findings& findings, bool notes_too) const {
  for (const Entry& entry : entries_)
    if (entry.is_mistake || notes_too) findings.add(entry.line, entry.column, with_count(entry.message, entry.more));
}

std::vector<std::string> LogTally::notes() const {
  std::vector<std::string> notes;
  for (const Entry& entry : entries_)
    if (!entry.is_mistake)
      notes.push_back((entry.line > 0 ? fmt::format("line {}: ", entry.line) : "") +
                      with_count(entry.message, entry.more));
  return notes;
}

}  // namespace bitsweep::imports
