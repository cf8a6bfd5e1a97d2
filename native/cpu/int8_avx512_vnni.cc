// int8 with vpdpbusd on AVX-512 VNNI: 8-bit activations, four products a lane, exact.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(                                                               \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")
#endif

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace avx512_vnni {
namespace {

#include "cpu/simd_avx512-inl.h"
// clang-format off
#include "cpu/math-inl.h"
#include "cpu/gemm-inl.h"
#include "cpu/int8-inl.h"
// clang-format on

// 8 x 32: 24 accumulators of 8 x 48 spill under g++ 12 (530 instead of 900 GOP/s).
struct Int8 {
    static constexpr int kLevels = 255, kLimit = 127, kGroups = 1, kRows = 8, kVectors = 2;
    static constexpr bool kDot = true;
    using Weights = VecI;
    using Inputs = VecI;
    static Weights load_weights(const int8_t* p, int64_t) { return load_int(p); }
    static Inputs load_inputs(const uint8_t* p) {
        int32_t four;
        __builtin_memcpy(&four, p, sizeof four);
        return _mm512_set1_epi32(four);
    }
    static VecI dot(VecI sum, Inputs x, Weights w) { return _mm512_dpbusd_epi32(sum, x, w); }
};

constexpr MatrixFormat kFormat = int8_format<Int8>("int8");

}  // namespace
}  // namespace avx512_vnni

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const MatrixFormat* avx512_vnni_int8() { return &avx512_vnni::kFormat; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const MatrixFormat* avx512_vnni_int8() { return nullptr; }
}  // namespace bertha::cpu

#endif
