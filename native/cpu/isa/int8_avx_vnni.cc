// int8 with vpdpbusd on AVX-VNNI (256 bits): 8-bit activations, four products a lane, exact.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx2,fma,f16c,avxvnni")
#endif

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace avx_vnni {
namespace {

inline const KernelTable& own_kernels() { return *avx2_kernels(); }

#include "cpu/isa/simd_avx2-inl.h"
// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/int8-inl.h"
#include "cpu/kernels/int8_formats-inl.h"
// clang-format on

inline VecI dot_bytes(VecI sum, VecI x, VecI w) {
    return (VecI)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x, (__m256i)w);
}

constexpr MatrixFormat kFormat = int8_format<DotInt8<6, dot_bytes>>("int8");

}  // namespace
}  // namespace avx_vnni

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const MatrixFormat* avx_vnni_int8() { return &avx_vnni::kFormat; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const MatrixFormat* avx_vnni_int8() { return nullptr; }
}  // namespace bertha::cpu

#endif
