// What the implementations of outer_products.h by instruction set share. Only this room's .cpp files include it.
#pragma once

#include <algorithm>

#include "base/simd.h"
#include "kernels/intrinsics.h"
#include "kernels/outer_products.h"

namespace bitsweep::kernels {

// Of a tile, on every instruction set.
inline constexpr int64_t kMostOuterRows = 12, kMostOuterColumns = 32, kLeastOuterColumns = 16;

// What a copy may write behind a panel's end; it also keeps panels from sharing their places in the cache.
inline constexpr int64_t kOuterSlack = 16;

// Packs panels by Copy(width)(from, to), which reads `width` floats and writes Copy::kFloats, with 0 behind them: what
// is too much the panel's next row overwrites, unless it is as wide as that (Whole). A few rows at a time, as rows may
// lie so far apart that no more of them have a place in the cache.
template <class Copy, bool Whole>
BITSWEEP_INLINE void pack_panels(const OuterPanels& panels) {
  constexpr int64_t kRowsAtOnce = 4;
  for (int64_t row = 0; row < panels.depth; row += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, panels.depth - row);
    for (int64_t p = 0; p < panels.count; ++p) {
      const int64_t width = panels.begins[p + 1] - panels.begins[p], pitch = Whole ? Copy::kFloats : width;
      const float* from = panels.from + row * panels.step + panels.begins[p];
      float* to = panels.to + p * panels.panel_step + row * pitch;
      const Copy copy(width);
      for (int64_t r = 0; r < rows; ++r) copy(from + r * panels.step, to + r * pitch);
    }
  }
}

#ifdef BITSWEEP_INTRINSICS
extern const OuterKernels kOuterAvx2, kOuterAvx512;
#endif

}  // namespace bitsweep::kernels
