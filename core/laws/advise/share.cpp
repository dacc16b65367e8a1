#include "advise/share.h"

#include <cstddef>
#include <limits>

namespace bitsweep::advise {

std::vector<int> divide_parts(const std::vector<std::vector<double>>& left) {
  if (left.empty()) return {};
  const size_t laws = left.size(), parts = left[0].size() - 1;
  // least[v][k]: in sum of the laws before v with k parts among them; given[v][k]: those of law v in it.
  std::vector<std::vector<double>> least(laws + 1,
                                         std::vector<double>(parts + 1, std::numeric_limits<double>::infinity()));
  std::vector<std::vector<size_t>> given(laws, std::vector<size_t>(parts + 1, 0));
  least[0][0] = 0;
  for (size_t v = 0; v < laws; ++v)
    for (size_t k = 0; k <= parts; ++k)
      for (size_t mine = 0; mine <= k; ++mine)
        if (const double sum = least[v][k - mine] + left[v][mine]; sum < least[v + 1][k])
          least[v + 1][k] = sum, given[v][k] = mine;
  std::vector<int> divided(laws);
  for (size_t v = laws, k = parts; v-- > 0; k -= static_cast<size_t>(divided[v]))
    divided[v] = static_cast<int>(given[v][k]);
  return divided;
}

}  // namespace bitsweep::advise
