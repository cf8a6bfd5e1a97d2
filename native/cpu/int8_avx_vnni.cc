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

#include "cpu/simd_avx2-inl.h"
// clang-format off
#include "cpu/math-inl.h"
#include "cpu/gemm-inl.h"
#include "cpu/int8-inl.h"
// clang-format on

struct Int8 {
    static constexpr int kLevels = 255, kLimit = 127, kGroups = 1, kRows = 6, kVectors = 2;
    static constexpr bool kDot = true;
    using Weights = VecI;
    using Inputs = VecI;
    static Weights load_weights(const int8_t* p, int64_t) { return load_int(p); }
    static Inputs load_inputs(const uint8_t* p) {
        int32_t four;
        __builtin_memcpy(&four, p, sizeof four);
        return _mm256_set1_epi32(four);
    }
    static VecI dot(VecI sum, Inputs x, Weights w) { return _mm256_dpbusd_avx_epi32(sum, x, w); }
};

constexpr MatrixFormat kFormat = int8_format<Int8>("int8");

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
