// Where the attention of a run looks, as its newest probe found: the numbers of view `metrics` as matrices. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/attention_probes.h"
#include "base/json.h"

namespace bitsweep::query {

// One score of every head, [layer][head]; empty where a head was not told.
using HeadMatrix = std::vector<std::vector<std::optional<double>>>;

struct PointerHealth {
  int64_t step = 0;                        // of the probed model
  std::map<std::string, double> totals;    // ipmr_chance, repeat_ipmr_max, …; hdr.L0 too
  std::map<std::string, HeadMatrix> maps;  // ipmr, induction, agreement, repeat_ipmr, …

  const HeadMatrix& map(const std::string& name) const;  // an empty one where there is none
  std::optional<double> total(const std::string& name) const;
};

// Names and values as a probe gives them; what is of no probe is left out. Nothing when no head is among them.
std::optional<PointerHealth> pointer_health(int64_t step, const std::vector<std::pair<std::string, double>>& metrics);

// {"step", "totals": {…}, "maps": {"ipmr": [[…]], …}}.
json::object to_json(const PointerHealth& health);

struct NamedHead {
  std::string name;  // L2H11
  double value = 0;
};
// Heads whose IPMR makes them specialists, the best first. `matrix` is map("ipmr") or map("repeat_ipmr").
std::vector<NamedHead> specialists_of(const HeadMatrix& matrix);

// Heads that go by position alone, and by content; of those whose `agreement` is known.
struct HeadSplit {
  int64_t heads = 0, locked = 0, content = 0;
};
HeadSplit split_of(const HeadMatrix& agreement);

}  // namespace bitsweep::query
