// Where kernels are written with a CPU's own vector instructions. Only this room's .cpp files include it.
//
// Code for an instruction set stands between BITSWEEP_BEGIN_ISA and BITSWEEP_END_ISA, behind every include, so that no
// inline function of a header is compiled for a CPU that is not there (files are never built with -m flags).
//
// With BITSWEEP_EMULATED_ISAS, which tests alone set, SIMDe computes in their place, so that every one of them runs on
// any machine.
#pragma once

#if defined(BITSWEEP_EMULATED_ISAS)
#define BITSWEEP_INTRINSICS
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/fma.h>

#include "simde_missing.h"

#define BITSWEEP_BEGIN_AVX2
#define BITSWEEP_BEGIN_AVX512
#define BITSWEEP_BEGIN_AVX512_VPOPCNT
#define BITSWEEP_END_ISA
#define BITSWEEP_IN_REGISTER(x) static_cast<void>(x)
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BITSWEEP_INTRINSICS
// GCC 12's own header reads what it calls undefined.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#define BITSWEEP_BEGIN_AVX2 _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma\")")
#define BITSWEEP_BEGIN_AVX512 \
  _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512dq,avx512vl\")")
#define BITSWEEP_BEGIN_AVX512_VPOPCNT \
  _Pragma("GCC push_options")         \
      _Pragma("GCC target(\"avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,avx512vpopcntdq\")")
#define BITSWEEP_END_ISA _Pragma("GCC pop_options")

// At the end of a loop: the vector x stays in one register through it, where GCC 12 would copy it at every turn.
#define BITSWEEP_IN_REGISTER(x) asm("" : "+v"(x))
#endif
