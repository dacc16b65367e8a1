// The implementations of table_products.h by instruction set. Only this room's .cpp files include it.
#pragma once

#include "kernels/intrinsics.h"
#include "kernels/table_products.h"

namespace bitsweep::kernels {

#ifdef BITSWEEP_INTRINSICS
void table_tile_avx2(const TableTile& tile);
void table_tile_avx512(const TableTile& tile);
#endif

}  // namespace bitsweep::kernels
