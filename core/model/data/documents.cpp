#include "data/documents.h"

#include <algorithm>
#include <climits>

#include <fmt/format.h>

#include "base/units.h"
#include "base/utf8.h"

namespace bitsweep::data {
namespace {

std::string counted(uint64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", format_thousands(static_cast<int64_t>(count)), count == 1 ? one : many);
}

std::string place_of(const Tally& tally) {
  return fmt::format("{}{}{}", tally.first.file, tally.of_rows ? ", row " : ":", tally.first.line);
}

}  // namespace

void Tally::add(uint64_t more, const DocumentPlace& place, int64_t column, const std::string& why) {
  const auto clamped = [](int64_t value) { return static_cast<int>(std::min<int64_t>(value, INT_MAX)); };
  if (count == 0) {
    first = {std::string(place.file), clamped(place.number), clamped(column), why};
    of_rows = place.row;
  }
  count += more;
}

void Documents::add(std::string_view text, const DocumentPlace& place, uint64_t lone_surrogates) {
  static constexpr uint8_t newline = '\n';
  if (text.empty()) return empty_.add(1, place);
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  if (lone_surrogates > 0) surrogates_.add(lone_surrogates, place);
  if (!is_utf8(bytes)) not_utf8_.add(1, place);
  sink_(bytes);
  if (!text.ends_with('\n')) sink_({&newline, 1});
  if (end_) end_();
}

std::vector<std::string> Documents::notes() const {
  std::vector<std::string> told;
  for (const auto& [tally, what] : {std::pair(&null_, "null"), std::pair(&empty_, "empty")})
    if (tally->count > 0)
      told.push_back(fmt::format("{} passed over: '{}' is {} there (first at {}).",
                                 counted(tally->count, "document", "documents"), field_, what, place_of(*tally)));
  if (surrogates_.count > 0)
    told.push_back(fmt::format("{} of a surrogate pair without the other half became U+FFFD (first at {}).",
                               counted(surrogates_.count, "half", "halves"), place_of(surrogates_)));
  if (not_utf8_.count > 0)
    told.push_back(fmt::format("{} bytes that are no UTF-8, which are taken as they stand (first at {}).",
                               counted(not_utf8_.count, "document holds", "documents hold"), place_of(not_utf8_)));
  return told;
}

}  // namespace bitsweep::data
