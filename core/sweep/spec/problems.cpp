#include "spec/problems.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace bitsweep::spec {

void Problems::add(const YamlPlace& place, std::string message) {
  Diagnostic diagnostic = place.diagnostic(std::move(message));
  if (seen_.insert(diagnostic.to_string()).second) found_.push_back(std::move(diagnostic));
}

void Problems::throw_if_any() {
  for (Diagnostic& missing : take_missing())
    if (seen_.insert(missing.to_string()).second) found_.push_back(std::move(missing));
  if (found_.empty()) return;
  constexpr size_t shown = 100;
  std::stable_sort(found_.begin(), found_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
  });
  const size_t left_out = found_.size() > shown ? found_.size() - shown : 0;
  if (left_out > 0) {
    found_.resize(shown);
    found_.push_back({.message = fmt::format("and {} more", left_out)});
  }
  throw Error(ErrorKind::input, std::move(found_));
}

}  // namespace bitsweep::spec
