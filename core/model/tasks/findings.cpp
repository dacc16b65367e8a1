#include "tasks/findings.h"

#include <algorithm>
#include <climits>

#include <fmt/format.h>

#include "base/brought_json.h"
#include "base/units.h"
#include "base/utf8.h"

namespace bitsweep::tasks {

void Findings::add(const std::string& kind, int64_t line, const std::string& message) {
  auto found = std::find_if(tallies_.begin(), tallies_.end(), [&](const Tally& tally) { return tally.kind == kind; });
  if (found == tallies_.end()) {
    const auto at = static_cast<int>(std::min<int64_t>(line, INT_MAX));
    found = tallies_.insert(found, {kind, {.file = file_, .line = at, .column = 0, .message = valid_utf8(message)}, 0});
  }
  ++found->count;
}

void Findings::add_no_json(int64_t line, std::string_view text) {
  try {
    parse_brought_json(text, file_);
  } catch (const Error& error) {
    const Diagnostic& why = error.diagnostics().front();
    constexpr std::string_view kNotJson = "not JSON: ";
    const std::string_view reason =
        std::string_view(why.message).substr(why.message.starts_with(kNotJson) ? kNotJson.size() : 0);
    add("no JSON", line, fmt::format("no JSON object: {} at column {}", reason, why.column));
  }
}

void Findings::throw_if_any() const {
  if (tallies_.empty()) return;
  std::vector<Diagnostic> wrong;
  for (const Tally& tally : tallies_) {
    Diagnostic& diagnostic = wrong.emplace_back(tally.first);
    if (tally.count > 1) diagnostic.message += fmt::format(" (the first of {} items)", format_thousands(tally.count));
  }
  throw Error(ErrorKind::input, std::move(wrong));
}

}  // namespace bitsweep::tasks
