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
  // Whether this IPMR in map("ipmr") or map("repeat_ipmr") makes a specialist (base/attention_probes.h). Where
  // neither the probe nor the context tells how many queries it had, one a window is counted.
  bool is_specialist(const std::string& map, double ipmr) const;
};

// Names and values as a probe gives them; what is of no probe is left out. Nothing when no head is among them.
// `context`: tokens a window, from which the number of queries follows where an older probe does not say it; 0: not
// known.
std::optional<PointerHealth> pointer_health(int64_t step, const std::vector<std::pair<std::string, double>>& metrics,
                                            int64_t context = 0);

// {"step", "totals": {…}, "maps": {"ipmr": [[…]], …}}.
json::object to_json(const PointerHealth& health);

struct NamedHead {
  std::string name;  // L2H11
  double value = 0;
};
// The specialists of map "ipmr" or "repeat_ipmr", the best first.
std::vector<NamedHead> specialists_of(const PointerHealth& health, const std::string& map);

// Heads that go by position alone, and by content; of those whose `agreement` is known.
struct HeadSplit {
  int64_t heads = 0, locked = 0, content = 0;
};
HeadSplit split_of(const HeadMatrix& agreement);

}  // namespace bitsweep::query
