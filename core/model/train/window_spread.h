// How much a validation loss depends on which windows were scored: windows are a sample of the text. Bits and bytes of
// each window in, the standard error of their bits per byte out, and the windows' own losses, from which two models
// that were scored on the same windows are compared window by window. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace bitsweep::train {

inline constexpr size_t kMostBlocks = 1024;

struct WindowSpread {
  // Of the bits per byte r = Σ bits / Σ bytes of n windows, a ratio: sqrt(n / (n - 1) Σ (bits_i - r bytes_i)²) / Σ
  // bytes, which for windows of equal bytes is their sd / √n. Nothing for fewer than two windows. Windows are taken as
  // independent; neighbours of one file are not quite.
  std::optional<double> standard_error;
  // Bits per byte of each window, or of kMostBlocks runs of neighbouring windows where there are more: r + (bits_i - r
  // bytes_i) n / Σ bytes, so that their mean is r, and the sd / √n of two models' differences is the standard error of
  // the difference, whatever the windows' bytes.
  std::vector<double> blocks;
};

// Nothing of either where a window's bits are not finite. REQUIRES bits.size() == bytes.size().
WindowSpread window_spread(std::span<const double> bits, std::span<const int64_t> bytes);

}  // namespace bitsweep::train
