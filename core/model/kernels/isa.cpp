#include "kernels/isa.h"

#include "kernels/intrinsics.h"

namespace bitsweep::kernels {
namespace {

constexpr int kBest = -1;
thread_local int isa_of_thread = kBest;

std::vector<Isa> found_isas() {
  std::vector<Isa> isas{Isa::plain};
#if defined(BITSWEEP_EMULATED_ISAS)
  isas.insert(isas.end(), {Isa::avx2, Isa::avx512, Isa::avx512_vpopcnt});
#elif defined(BITSWEEP_INTRINSICS)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return isas;
  isas.push_back(Isa::avx2);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return isas;
  isas.push_back(Isa::avx512);
  if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
      __builtin_cpu_supports("avx512vpopcntdq"))
    isas.push_back(Isa::avx512_vpopcnt);
#endif
  return isas;
}

}  // namespace

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = found_isas();
  return isas;
}

std::string isa_name(Isa isa) {
  switch (isa) {
    case Isa::plain:
      return "plain C++";
    case Isa::avx2:
      return "AVX2";
    case Isa::avx512:
      return "AVX-512";
    case Isa::avx512_vpopcnt:
      return "AVX-512 with VPOPCNTDQ";
  }
  return "";
}

WithIsa::WithIsa(Isa isa) : before_(isa_of_thread) { isa_of_thread = static_cast<int>(isa); }
WithIsa::~WithIsa() { isa_of_thread = before_; }

Isa current_isa() { return isa_of_thread == kBest ? best_isa() : static_cast<Isa>(isa_of_thread); }

}  // namespace bitsweep::kernels
