#include "base/error.h"

#include <fmt/format.h>

namespace bitsweep {

std::string Diagnostic::to_string() const {
  if (file.empty()) return message;
  if (line <= 0) return fmt::format("{}: {}", file, message);
  if (column <= 0) return fmt::format("{}:{}: {}", file, line, message);
  return fmt::format("{}:{}:{}: {}", file, line, column, message);
}

Error::Error(ErrorKind kind, std::string message)
    : Error(kind, std::vector<Diagnostic>{Diagnostic{.message = std::move(message)}}) {}

Error::Error(ErrorKind kind, std::vector<Diagnostic> diagnostics)
    : kind_(kind), diagnostics_(std::move(diagnostics)) {
  for (const Diagnostic& d : diagnostics_) {
    if (!text_.empty()) text_ += '\n';
    text_ += d.to_string();
  }
}

}  // namespace bitsweep
