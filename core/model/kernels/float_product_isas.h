// What the implementations of float_products.h by instruction set share. Only this room's .cpp files include it.
#pragma once

#include <algorithm>

#include "base/simd.h"
#include "kernels/float_products.h"
#include "kernels/intrinsics.h"

namespace bitsweep::kernels {

inline constexpr int64_t kLeastTileColumns = 16;

// What a copy may write behind a panel's end; it also keeps panels, and the rows of one, from sharing their places in
// the cache.
inline constexpr int64_t kPanelSlack = 16;

// Some columns of a matrix of `depth` rows, row after row without gaps; of these panels some side by side.
struct FloatPanels {
  const float* from = nullptr;
  int64_t step = 0, depth = 0;
  const int64_t* begins = nullptr;  // the panels' first columns, and where the last one ends
  int64_t count = 0;
  float* to = nullptr;
  int64_t panel_step = 0;  // from panel to panel
};

// Packs panels by Copy(width)(from, to), which reads `width` floats and writes Copy::kFloats, with 0 behind them: what
// is too much the panel's next row overwrites, unless it is as wide as that (Whole). A few rows at a time, as rows may
// lie so far apart that no more of them have a place in the cache.
template <class Copy, bool Whole>
BITSWEEP_INLINE void pack_panels(const FloatPanels& panels) {
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

// Where the columns of the panels lie side by side.
struct PanelKernels {
  void (*pack_a)(const FloatPanels& panels);
  void (*pack_b)(const FloatPanels& panels);  // each as wide as a tile, with 0 where B has no column
};
const PanelKernels& panel_kernels(Isa isa);

#ifdef BITSWEEP_INTRINSICS
extern const FloatKernels kFloatsAvx2, kFloatsAvx512;
extern const PanelKernels kPanelsAvx2, kPanelsAvx512;
void transpose_floats_avx2(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to,
                           int64_t to_step);
void transpose_floats_avx512(const float* from, int64_t from_step, int64_t rows, int64_t terms, float* to,
                             int64_t to_step);
#endif

}  // namespace bitsweep::kernels
