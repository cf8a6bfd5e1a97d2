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

#include "cpu/simd_avx512-inl.h"
#include "cpu/kernels-inl.h"

inline VecI broadcast_four(const uint8_t* p) {
    int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}

// vpmaddubsw adds two products in 16 bits: 7-bit activations keep 2 * 127 * 127 = 32258 exact. More accurate
// than 7-bit weights.
struct Int8 {
    static constexpr int kLevels = 127, kLimit = 127, kGroups = 1, kRows = 8, kVectors = 2;
    static constexpr bool kDot = false;
    using Weights = VecI;
    using Inputs = VecI;
    static Weights load_weights(const int8_t* p, int64_t) { return load_int(p); }
    static Inputs load_inputs(const uint8_t* p) { return broadcast_four(p); }
    static VecI dot(VecI sum, Inputs x, Weights w) {
        return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(x, w), _mm512_set1_epi16(1)));
    }
};

// Two vpmaddubsw added in 16 bits before the widening: with weights of +-64 four products stay exact, 4 * 127
// * 64 = 32512.
struct Int8Fast {
    static constexpr int kLevels = 127, kLimit = 64, kGroups = 2, kRows = 8, kVectors = 2;
    static constexpr bool kDot = false;
    struct Weights {
        VecI first, second;
    };
    struct Inputs {
        VecI first, second;
    };
    static Weights load_weights(const int8_t* p, int64_t next) { return {load_int(p), load_int(p + next)}; }
    static Inputs load_inputs(const uint8_t* p) { return {broadcast_four(p), broadcast_four(p + 4)}; }
    static VecI dot(VecI sum, Inputs x, Weights w) {
        const __m512i pairs = _mm512_add_epi16(_mm512_maddubs_epi16(x.first, w.first),
                                               _mm512_maddubs_epi16(x.second, w.second));
        return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
    }
};

constexpr KernelTable kTable = make_table<Int8, Int8Fast>("avx512");

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
