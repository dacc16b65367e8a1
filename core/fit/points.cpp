#include "fit/points.h"

#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"

namespace bitsweep {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

}  // namespace

Target parse_target(const std::string& text, const std::string& name_for_message) {
  static const std::vector<std::string> known = {"params", "tokens", "variant", "dataset"};
  Target target;
  std::vector<Diagnostic> wrong;
  std::map<std::string, bool> seen;
  const auto complain = [&](std::string message) {
    wrong.push_back({"", 0, 0, fmt::format("{}: {}", name_for_message, message)});
  };
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = trimmed(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    const size_t equals = part.find('=');
    const std::string key = trimmed(std::string_view(part).substr(0, equals));
    if (equals == std::string::npos) {
      complain(fmt::format("'{}' is not of the form params=300M,tokens=1B", part));
      continue;
    }
    const std::string value = trimmed(std::string_view(part).substr(equals + 1));
    if (std::exchange(seen[key], true)) complain(fmt::format("'{}' is given twice", key));
    if (key == "variant") {
      target.variant = value;
    } else if (key == "dataset") {
      target.dataset = value;
    } else if (key == "params" || key == "tokens") {
      const auto number = parse_size(value);
      if (!number || !std::isfinite(*number) || *number <= 0)
        complain(fmt::format("{} must be a positive number such as 300M, not '{}'", key, value));
      else
        (key == "params" ? target.params : target.tokens) = *number;
    } else {
      complain(fmt::format("unknown key '{}'{}", key, did_you_mean(key, known)));
    }
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
  return target;
}

std::vector<int> group_by_configuration(const std::vector<Point>& points) {
  std::map<std::tuple<double, double, double, std::string, std::string>, int> numbers;
  std::vector<int> groups;
  groups.reserve(points.size());
  for (const Point& p : points) {
    const auto key = std::make_tuple(p.params, p.tokens, p.unique_tokens, p.variant, p.dataset);
    groups.push_back(numbers.emplace(key, static_cast<int>(numbers.size())).first->second);
  }
  return groups;
}

}  // namespace bitsweep
