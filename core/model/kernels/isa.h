// Instruction sets that kernels are written for, beside the plain loops that the compiler makes of base/simd.h. Which
// one is taken is asked of the CPU when the program runs; all give the same bits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitsweep::kernels {

enum class Isa : uint8_t {
  plain,           // C++
  avx2,            // AVX2 and FMA
  avx512,          // AVX-512 F, BW, DQ, VL
  avx512_vpopcnt,  // and VBMI, VNNI, VPOPCNTDQ: Ice Lake and Zen 4 on
};

// From the plain one up; those that this CPU has and this program was built with.
const std::vector<Isa>& available_isas();
inline Isa best_isa() { return available_isas().back(); }

// "AVX-512 with VPOPCNTDQ"
std::string isa_name(Isa isa);

// What kernels of this thread take in its place while it lives. For tests, benchmarks and profiles.
class WithIsa {
 public:
  explicit WithIsa(Isa isa);
  ~WithIsa();
  WithIsa(const WithIsa&) = delete;
  WithIsa& operator=(const WithIsa&) = delete;

 private:
  int before_;
};
Isa current_isa();

}  // namespace bitsweep::kernels
