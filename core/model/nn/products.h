// Says how many products a loop of room `kernels` makes, where no operation of LibTorch stands for them: who counts a
// step's FLOPs (train/product_count.h) listens. Costs nothing while nobody does.
#pragma once

#include <array>
#include <cstdint>

#include <ATen/record_function.h>

namespace bitsweep::nn {

inline constexpr char kProductsMark[] = "bitsweep::products";

// multiply_adds: pairs of numbers that are multiplied and added up.
inline void say_products(int64_t multiply_adds) {
  const std::array<const c10::IValue, 1> said{multiply_adds};
  RECORD_FUNCTION(kProductsMark, c10::ArrayRef<const c10::IValue>(said.data(), said.size()));
}

}  // namespace bitsweep::nn
