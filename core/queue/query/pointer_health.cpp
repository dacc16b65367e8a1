#include "query/pointer_health.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace bitsweep::query {
namespace {

// Far beyond any model; what a foreign log calls so must not take memory.
constexpr size_t kMostLayers = 4096, kMostHeads = 65536;

constexpr std::array<std::string_view, 3> kMaps = {"ipmr", "induction", "agreement"};
// `specialists`: of older probes, heads of an IPMR of 5 % or more.
constexpr std::array<std::string_view, 12> kTotals = {
    "ipmr_queries", "ipmr_chance", "ipmr_mean",        "ipmr_max",     "induction_chance", "induction_max",
    "hdr",          "specialists", "specialist_heads", "locked_heads", "content_heads",    "in_context_bits"};

std::string_view without_prefix(std::string_view name) { return name.starts_with("repeat_") ? name.substr(7) : name; }

template <size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void put(HeadMatrix& matrix, HeadPlace place, double value) {
  if (matrix.size() <= place.layer) matrix.resize(place.layer + 1);
  auto& row = matrix[place.layer];
  if (row.size() <= place.head) row.resize(place.head + 1);
  row[place.head] = value;
}

// Chance is a sum over places: over queries for IPMR, over all places for induction.
void derive_queries(PointerHealth& health, const std::string& prefix, int64_t context) {
  const auto windows = health.total("probe_windows"), over_queries = health.total(prefix + "ipmr_chance"),
             over_places = health.total(prefix + "induction_chance");
  if (!windows || health.total(prefix + "ipmr_queries")) return;
  health.totals[prefix + "ipmr_queries"] =
      context > 0 && over_places && over_queries && *over_queries > 0
          ? std::round(*windows * static_cast<double>(context) * *over_places / *over_queries)
          : *windows;
}

}  // namespace

const HeadMatrix& PointerHealth::map(const std::string& name) const {
  static const HeadMatrix none;
  const auto it = maps.find(name);
  return it == maps.end() ? none : it->second;
}

std::optional<double> PointerHealth::total(const std::string& name) const {
  const auto it = totals.find(name);
  return it == totals.end() ? std::nullopt : std::optional(it->second);
}

bool PointerHealth::is_specialist(const std::string& map, double ipmr) const {
  return bitsweep::is_specialist(ipmr, total(map + "_chance").value_or(0), total(map + "_queries").value_or(0));
}

std::optional<PointerHealth> pointer_health(int64_t step, const std::vector<std::pair<std::string, double>>& metrics,
                                            int64_t context) {
  PointerHealth health;
  health.step = step;
  for (const auto& [name, value] : metrics) {
    const size_t dot = name.find('.');
    const std::string_view stem = std::string_view(name).substr(0, dot);
    if (name == "probe_windows" || (dot == std::string::npos && among(kTotals, without_prefix(name))) ||
        (dot != std::string::npos && without_prefix(stem) == "hdr")) {
      health.totals[name] = value;
    } else if (dot != std::string::npos && among(kMaps, without_prefix(stem))) {
      const auto place = parse_head_name(std::string_view(name).substr(dot + 1));
      if (place && place->layer < kMostLayers && place->head < kMostHeads)
        put(health.maps[std::string(stem)], *place, value);
    }
  }
  if (health.map("ipmr").empty()) return std::nullopt;
  for (const char* prefix : {"", "repeat_"}) derive_queries(health, prefix, context);
  return health;
}

json::object to_json(const PointerHealth& health) {
  json::object totals, maps;
  for (const auto& [name, value] : health.totals) totals[name] = finite_or_null(value);
  for (const auto& [name, matrix] : health.maps) {
    json::array rows;
    for (const auto& heads : matrix) {
      json::array row;
      for (const std::optional<double>& value : heads) row.push_back(value ? finite_or_null(*value) : nullptr);
      rows.push_back(std::move(row));
    }
    maps[name] = std::move(rows);
  }
  return {{"step", health.step}, {"totals", std::move(totals)}, {"maps", std::move(maps)}};
}

std::vector<NamedHead> specialists_of(const PointerHealth& health, const std::string& map) {
  const HeadMatrix& matrix = health.map(map);
  std::vector<NamedHead> heads;
  for (size_t layer = 0; layer < matrix.size(); ++layer)
    for (size_t head = 0; head < matrix[layer].size(); ++head)
      if (health.is_specialist(map, matrix[layer][head].value_or(0)))
        heads.push_back({head_name(layer, head), *matrix[layer][head]});
  std::stable_sort(heads.begin(), heads.end(), [](const auto& a, const auto& b) { return a.value > b.value; });
  return heads;
}

HeadSplit split_of(const HeadMatrix& agreement) {
  HeadSplit split;
  for (const auto& row : agreement) {
    for (const std::optional<double>& value : row) {
      if (!value) continue;
      ++split.heads;
      split.locked += *value >= kLockedAgreement ? 1 : 0;
      split.content += *value < kContentAgreement ? 1 : 0;
    }
  }
  return split;
}

}  // namespace bitsweep::query
