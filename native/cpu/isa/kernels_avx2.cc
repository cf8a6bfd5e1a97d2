// The kernels for AVX2 and FMA.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

// Without this g++ 12 folds the panel load into every FMA of the tile and becomes load-bound.
#define BERTHA_KEEP_IN_REGISTER(x) __asm__("" : "+x"(x))

namespace bertha::cpu {
namespace avx2 {
namespace {

#include "cpu/isa/simd_avx2-inl.h"

inline const KernelTable& own_kernels() { return *avx2_kernels(); }

#include "cpu/kernels/kernels-inl.h"
#include "cpu/kernels/int8_formats-inl.h"

constexpr KernelTable kTable = make_table<PairInt8<5>, QuadInt8<4>>("avx2");

}  // namespace
}  // namespace avx2

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const KernelTable* avx2_kernels() { return &avx2::kTable; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const KernelTable* avx2_kernels() { return nullptr; }
}  // namespace bertha::cpu

#endif
