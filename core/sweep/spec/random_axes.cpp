#include "spec/random_axes.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "spec/other_tools.h"
#include "spec/sweep.h"

namespace bitsweep::spec {
namespace {

const std::vector<std::string> kKeys{"count", "seed", "axes"};
const std::vector<std::string> kDistributions{"log_uniform", "uniform", "int_uniform", "choice"};

std::optional<int64_t> integer_in(const YamlNode& node, const char* name, int64_t least, int64_t most,
                                  Problems& problems) {
  const auto value = yaml_integer(node);
  if (value && *value >= least && *value <= most) return value;
  problems.add(node.place,
               fmt::format("'{}' must be an integer from {} to {}, found {}", name, least, most, yaml_found(node)));
  return std::nullopt;
}

// A list with its values: they are what is wrong.
std::string found_text(const YamlNode& node) {
  const std::string list = list_text(node);
  return list.empty() ? yaml_found(node) : list;
}

std::optional<RandomAxis> read_range(RandomAxis axis, const std::string& law, const YamlNode& node,
                                     Problems& problems) {
  std::string hint;
  const auto wrong = [&](const char* what) {
    problems.add(node.place,
                 fmt::format("'random.axes.{}': {} takes {}, found {}{}", axis.path, law, what, found_text(node),
                             hint));
    return std::nullopt;
  };
  if (node.kind != YamlKind::list || node.items.size() != 2) return wrong("two numbers [from, to]");
  const auto least = yaml_size(*node.items[0]), most = yaml_size(*node.items[1]);
  if (!least || !most || !std::isfinite(*least) || !std::isfinite(*most)) return wrong("two finite numbers [from, to]");
  if (*least > *most) return wrong("[from, to] with from not above to");
  if (axis.law == RandomAxis::Law::log_uniform && *least <= 0) {
    hint = exponents_hint(*least, *most);
    return wrong("numbers above 0");
  }
  const bool whole =
      *least == std::floor(*least) && *most == std::floor(*most) && std::abs(*least) < 1e15 && std::abs(*most) < 1e15;
  if (axis.law == RandomAxis::Law::int_uniform && !whole) return wrong("two whole numbers [from, to]");
  axis.least = *least;
  axis.most = *most;
  return axis;
}

std::optional<RandomAxis> read_axis(const YamlEntry& entry, Problems& problems) {
  RandomAxis axis{.path = entry.key, .place = entry.key_place, .choices = {}};
  if (entry.value->kind != YamlKind::map || entry.value->entries.size() != 1) {
    const std::string hint = random_hint(*entry.value);
    problems.add(entry.value->place,
                 fmt::format("'random.axes.{}' must be one of {}{}", entry.key, fmt::join(kDistributions, ", "),
                             hint.empty() ? ", such as { log_uniform: [1e-4, 1e-2] }" : hint));
    return std::nullopt;
  }
  const YamlEntry& law = entry.value->entries[0];
  const auto found = std::find(kDistributions.begin(), kDistributions.end(), law.key);
  if (found == kDistributions.end()) {
    const std::string hint = random_hint(*entry.value);
    problems.add(law.key_place,
                 fmt::format("unknown distribution '{}'{}; known: {}", law.key,
                             hint.empty() ? did_you_mean(law.key, kDistributions) : hint,
                             fmt::join(kDistributions, ", ")));
    return std::nullopt;
  }
  axis.law = static_cast<RandomAxis::Law>(found - kDistributions.begin());
  if (axis.law != RandomAxis::Law::choice) return read_range(axis, law.key, *law.value, problems);
  axis.choices = law.value->items;
  if (!axis.choices.empty()) return axis;
  problems.add(law.value->place, fmt::format("'random.axes.{}': choice takes a list of values, found {}", entry.key,
                                             yaml_found(*law.value)));
  return std::nullopt;
}

double four_digits(double value) {
  if (value == 0) return 0;
  const double scale = std::pow(10, 3 - std::floor(std::log10(std::abs(value))));
  return std::isfinite(scale) && scale != 0 ? std::round(value * scale) / scale : value;
}

}  // namespace

std::optional<RandomPlan> read_random(const YamlNode& node, Problems& problems) {
  RandomPlan plan;
  for (const YamlEntry& entry : node.entries) {
    if (std::find(kKeys.begin(), kKeys.end(), entry.key) == kKeys.end())
      problems.add(entry.key_place,
                   fmt::format("unknown key 'random.{}'{}", entry.key, did_you_mean(entry.key, kKeys)));
  }
  const YamlEntry* count = node.find("count");
  const YamlEntry* axes = node.find("axes");
  if (count == nullptr)
    problems.add(node.place, "'random.count' is missing: how many points");
  else
    plan.count = integer_in(*count->value, "random.count", 1, kMaxRuns, problems).value_or(0);
  if (const YamlEntry* seed = node.find("seed")) {
    plan.seed =
        static_cast<uint64_t>(integer_in(*seed->value, "random.seed", 0, int64_t{1} << 53, problems).value_or(0));
  }
  if (axes == nullptr || axes->value->kind != YamlKind::map || axes->value->entries.empty()) {
    problems.add(axes == nullptr ? node.place : axes->value->place, "'random.axes' must be a map of paths");
    return std::nullopt;
  }
  bool whole = plan.count > 0;
  for (const YamlEntry& entry : axes->value->entries) {
    auto axis = read_axis(entry, problems);
    whole = whole && axis;
    if (axis) plan.axes.push_back(*std::move(axis));
  }
  if (!whole) return std::nullopt;
  return plan;
}

Yaml random_value(const RandomAxis& axis, uint64_t seed, size_t i, bool whole) {
  // Each path draws from a stream of its own.
  const uint64_t own = std::stoull(sha256_hex(axis.path).substr(0, 15), nullptr, 16) ^ seed;
  const auto stream = static_cast<uint64_t>(Stream::sweep);
  if (axis.law == RandomAxis::Law::choice) return axis.choices[random_below(own, stream, i, axis.choices.size())];
  double value = 0;
  if (axis.law == RandomAxis::Law::int_uniform) {
    const auto span = static_cast<uint64_t>(axis.most - axis.least) + 1;
    value = axis.least + static_cast<double>(random_below(own, stream, i, span));
  } else {
    const double u = random_unit(own, stream, i);
    value = axis.law == RandomAxis::Law::uniform
                ? axis.least + u * (axis.most - axis.least)
                : std::exp(std::log(axis.least) + u * (std::log(axis.most) - std::log(axis.least)));
    value = whole ? std::round(value) : std::clamp(four_digits(value), axis.least, axis.most);
  }
  const bool integer = value == std::floor(value) && std::abs(value) < 1e15;
  return yaml_scalar(integer ? fmt::format("{}", static_cast<int64_t>(value)) : fmt::format("{}", value), axis.place);
}

}  // namespace bitsweep::spec
