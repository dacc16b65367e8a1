#include "train/window_spread.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bitsweep::train {

WindowSpread window_spread(std::span<const double> bits, std::span<const int64_t> bytes) {
  WindowSpread spread;
  const size_t count = bits.size();
  const double all_bits = std::accumulate(bits.begin(), bits.end(), 0.0);
  const auto all_bytes = static_cast<double>(std::accumulate(bytes.begin(), bytes.end(), int64_t{0}));
  if (!std::isfinite(all_bits) || !(all_bytes > 0)) return spread;
  const double mean = all_bits / all_bytes;
  const size_t blocks = std::min(count, kMostBlocks);
  spread.blocks.assign(blocks, 0);
  double squares = 0;
  for (size_t i = 0; i < count; ++i) {
    const double apart = bits[i] - mean * static_cast<double>(bytes[i]);
    squares += apart * apart;
    spread.blocks[i * blocks / count] += apart;
  }
  for (double& block : spread.blocks) block = mean + block * static_cast<double>(blocks) / all_bytes;
  const auto n = static_cast<double>(count);
  if (count > 1) spread.standard_error = std::sqrt(n / (n - 1) * squares) / all_bytes;
  return spread;
}

}  // namespace bitsweep::train
