// The kernels for AVX-512 F, BW, DQ and VL.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12: its own intrinsics start from an undefined
                                                  // register
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
#endif

// Without this g++ 12 folds the panel load into every FMA of the tile and becomes load-bound.
#define BERTHA_KEEP_IN_REGISTER(x) __asm__("" : "+v"(x))

namespace bertha::cpu {
namespace avx512 {
namespace {

#include "cpu/isa/simd_avx512-inl.h"

inline const KernelTable& own_kernels() { return *avx512_kernels(); }

#include "cpu/kernels/kernels-inl.h"
#include "cpu/kernels/int8_formats-inl.h"

constexpr KernelTable kTable = make_table<PairInt8<8>, QuadInt8<8>>("avx512");

}  // namespace
}  // namespace avx512

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const KernelTable* avx512_kernels() { return &avx512::kTable; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const KernelTable* avx512_kernels() { return nullptr; }
}  // namespace bertha::cpu

#endif
