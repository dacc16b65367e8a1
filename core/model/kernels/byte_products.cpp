#include "kernels/byte_products.h"

#include <algorithm>

#include "base/simd.h"
#include "kernels/byte_product_isas.h"

namespace bitsweep::kernels {
namespace {

constexpr int64_t kGroupBytes = kCodeColumns * kByteGroup;

BITSWEEP_CLONES void tile_plain(int64_t rows, const ByteTile& tile) {
  for (int64_t i = 0; i < rows; ++i) {
    int32_t sums[kCodeColumns] = {};
    const int8_t* q = tile.rows + i * tile.row_step;
    for (int64_t g = 0; g < tile.groups; ++g, q += kByteGroup) {
      const uint8_t* codes = tile.panel + g * kGroupBytes;
      for (int64_t j = 0; j < kCodeColumns; ++j)
        for (int64_t r = 0; r < kByteGroup; ++r) sums[j] += int32_t{q[r]} * int32_t{codes[j * kByteGroup + r]};
    }
    std::copy_n(sums, kCodeColumns, tile.sums + i * kCodeColumns);
  }
}

constexpr ByteKernels kPlain{4, tile_plain};

int64_t groups_of(int64_t terms) { return (terms + kByteGroup - 1) / kByteGroup; }
int64_t panels_of(int64_t outputs) { return (outputs + kCodeColumns - 1) / kCodeColumns; }

BITSWEEP_CLONES int32_t sum_of_row(const int8_t* row, int64_t count) {
  int32_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += row[i];
  return sum;
}

BITSWEEP_CLONES void end_of_row(const int32_t* sums, int32_t off, float scale, float* c, int64_t columns) {
  for (int64_t j = 0; j < columns; ++j) c[j] = static_cast<float>(sums[j] - off) * scale;
}

}  // namespace

ByteRows::ByteRows(int64_t rows, int64_t terms)
    : terms_(terms), step_(groups_of(terms) * kByteGroup), bytes_(rows * step_), scales_(rows) {}

int64_t ByteRows::memory(int64_t rows, int64_t terms) {
  return rows * (groups_of(terms) * kByteGroup + static_cast<int64_t>(sizeof(float)));
}

CodeMatrix::CodeMatrix(int64_t outputs, int64_t terms)
    : outputs_(outputs), terms_(terms), groups_(groups_of(terms)), bytes_(memory(outputs, terms)) {}

int64_t CodeMatrix::memory(int64_t outputs, int64_t terms) {
  return panels_of(outputs) * groups_of(terms) * kGroupBytes;
}

void CodeMatrix::fill(const float* codes, int64_t first, int64_t last) {
  for (int64_t o = first; o < last; ++o) {
    const float* row = codes + o * terms_;
    uint8_t* to = bytes_.at(o / kCodeColumns * groups_ * kGroupBytes + o % kCodeColumns * kByteGroup);
    for (int64_t r = 0; r < terms_; ++r)
      to[r / kByteGroup * kGroupBytes + r % kByteGroup] = static_cast<uint8_t>(static_cast<int>(row[r]) + 1);
  }
}

const ByteKernels& byte_kernels([[maybe_unused]] Isa isa) {
#ifdef BITSWEEP_INTRINSICS
  if (isa == Isa::avx512_vpopcnt) return kBytesVnni;
  if (isa == Isa::avx512) return kBytesAvx512;
  if (isa == Isa::avx2) return kBytesAvx2;
#endif
  return kPlain;
}

void byte_product_rows(const ByteProduct& product, int64_t first, int64_t last) {
  const ByteKernels& kernels = byte_kernels(current_isa());
  const ByteRows& rows = *product.rows;
  const CodeMatrix& codes = *product.codes;
  alignas(kLineBytes) int32_t sums[kMostByteTileRows * kCodeColumns];
  for (int64_t row = first; row < last; row += kernels.tile_rows) {
    const int64_t count = std::min(kernels.tile_rows, last - row);
    int32_t off[kMostByteTileRows];
    for (int64_t i = 0; i < count; ++i) off[i] = sum_of_row(rows.row(row + i), rows.terms());
    for (int64_t p = 0; p * kCodeColumns < codes.outputs(); ++p) {
      kernels.tile(count, {.rows = rows.row(row),
                           .row_step = rows.step(),
                           .groups = codes.groups(),
                           .panel = codes.panel(p),
                           .sums = sums});
      for (int64_t i = 0; i < count; ++i)
        end_of_row(sums + i * kCodeColumns, off[i], rows.scales()[row + i] * product.scale,
                   product.c + (row + i) * product.c_step + p * kCodeColumns,
                   std::min(kCodeColumns, codes.outputs() - p * kCodeColumns));
    }
  }
}

}  // namespace bitsweep::kernels
