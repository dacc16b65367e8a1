// Loops that are compiled for each CPU and chosen when the program starts, and sums whose order is fixed: every CPU
// gives the same bits.
//
// A file of such loops is built with -ffp-contract=off -fno-math-errno -fno-trapping-math (its room's CMakeLists.txt).
#pragma once

#include <cstdint>
#include <cstring>

// Sanitizers cannot run the resolvers that target_clones makes.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define BITSWEEP_DISPATCH
#define BITSWEEP_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define BITSWEEP_CLONES
#endif
#define BITSWEEP_INLINE inline __attribute__((always_inline))

namespace bitsweep {

// The sum of `Count` numbers, the second half added to the first until one is left. As vectors, since of loops over
// ever fewer of them the compiler makes loads and stores.
template <class Number, int64_t Count>
BITSWEEP_INLINE Number sum_of_halves(const Number* numbers) {
  if constexpr (Count == 2) {
    return numbers[0] + numbers[1];
  } else {
    typedef Number Half __attribute__((vector_size(Count / 2 * sizeof(Number))));
    Half low, high;
    std::memcpy(&low, numbers, sizeof low);
    std::memcpy(&high, numbers + Count / 2, sizeof high);
    low += high;
    Number rest[Count / 2];
    std::memcpy(rest, &low, sizeof low);
    return sum_of_halves<Number, Count / 2>(rest);
  }
}

// Σ f(i) over [0, count) in `Lanes` lanes, the lanes then pairwise, the tail last.
template <int64_t Lanes, class Term>
BITSWEEP_INLINE auto lane_sum(int64_t count, Term&& term) {
  using Number = decltype(term(count));
  Number lanes[Lanes] = {};
  int64_t i = 0;
  for (; i + Lanes <= count; i += Lanes) {
    for (int64_t l = 0; l < Lanes; ++l) lanes[l] += term(i + l);
  }
  Number sum = sum_of_halves<Number, Lanes>(lanes);
  for (; i < count; ++i) sum += term(i);
  return sum;
}

}  // namespace bitsweep
