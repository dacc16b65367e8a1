#include "fit/data_hash.h"

#include <algorithm>

#include "base/json.h"
#include "base/sha256.h"

namespace bitsweep::fit {

std::string data_hash(const std::vector<Point>& points) {
  std::vector<std::string> lines;
  for (const Point& p : points)
    lines.push_back(canonical_json(json::array{p.run, p.variant, p.dataset, p.seed ? json::value(*p.seed) : nullptr,
                                               p.params, p.tokens, p.unique_tokens, p.loss}));
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  for (const std::string& line : lines) hash.update(line + "\n");
  return hash.hex().substr(0, 16);
}

}  // namespace bitsweep::fit
