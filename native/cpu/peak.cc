#include "cpu/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "cpu/isa/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace bertha::cpu {

#if defined(__x86_64__) || defined(__aarch64__)
namespace {

#if defined(__x86_64__)
// Independent sums: more than latency times instructions a cycle (bf16: 6 * 2), few enough for 16 registers.
constexpr int kChains = 12;
#define BERTHA_VECTOR "+v"
#else
constexpr int kChains = 20;  // 4 * 4 on the widest, of 32 registers
#define BERTHA_VECTOR "+w"
#endif
constexpr int64_t kSteps = 20000;
constexpr int kRepeats = 40;

// Stops the compiler from computing a product once for all chains and steps.
#define BERTHA_OPAQUE(x) __asm__("" : BERTHA_VECTOR(x))

#define BERTHA_CHAINS(type, step)                                    \
    type sums[kChains];                                              \
    for (type & sum : sums) sum = type{};                            \
    for (int64_t i = 0; i < kSteps; i++) {                           \
        _Pragma("GCC unroll 20") for (int c = 0; c < kChains; c++) { \
            BERTHA_OPAQUE(x);                                        \
            sums[c] = step;                                          \
        }                                                            \
    }                                                                \
    for (type & sum : sums) __asm__ volatile("" : BERTHA_VECTOR(sum))

#if defined(__x86_64__)
// Sums of 32-bit lanes: g++ 12 copies a __m512i, whose lanes are 64-bit, at every step.
typedef int32_t Sums8 __attribute__((vector_size(32)));
typedef int32_t Sums16 __attribute__((vector_size(64)));

__attribute__((target("avx2,fma"))) void fma_ymm() {
    __m256 x = _mm256_set1_ps(0.5f);
    const __m256 y = _mm256_set1_ps(0.25f);
    BERTHA_CHAINS(__m256, _mm256_fmadd_ps(x, y, sums[c]));
}

// As kernels_avx2.cc sums up 8-bit products.
__attribute__((target("avx2"))) void int8_ymm() {
    __m256i x = _mm256_set1_epi8(3);
    const __m256i y = _mm256_set1_epi8(5), ones = _mm256_set1_epi16(1);
    BERTHA_CHAINS(Sums8, sums[c] + (Sums8)_mm256_madd_epi16(_mm256_maddubs_epi16(x, y), ones));
}

// The same for two products that share the widening to 32 bits.
__attribute__((target("avx2"))) inline Sums8 add_pairs(Sums8 sum, __m256i x, __m256i y, __m256i z,
                                                       __m256i ones) {
    const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(x, y), _mm256_maddubs_epi16(x, z));
    return sum + (Sums8)_mm256_madd_epi16(pairs, ones);
}

__attribute__((target("avx2"))) void int8_fast_ymm() {
    __m256i x = _mm256_set1_epi8(3);
    const __m256i y = _mm256_set1_epi8(5), z = _mm256_set1_epi8(7), ones = _mm256_set1_epi16(1);
    BERTHA_CHAINS(Sums8, add_pairs(sums[c], x, y, z, ones));
}

__attribute__((target("avx2,avxvnni"))) void vnni_ymm() {
    __m256i x = _mm256_set1_epi8(3);
    const __m256i y = _mm256_set1_epi8(5);
    BERTHA_CHAINS(Sums8, (Sums8)_mm256_dpbusd_avx_epi32((__m256i)sums[c], x, y));
}

__attribute__((target("avx512f"))) void fma_zmm() {
    __m512 x = _mm512_set1_ps(0.5f);
    const __m512 y = _mm512_set1_ps(0.25f);
    BERTHA_CHAINS(__m512, _mm512_fmadd_ps(x, y, sums[c]));
}

__attribute__((target("avx512f,avx512bw"))) void int8_zmm() {
    __m512i x = _mm512_set1_epi8(3);
    const __m512i y = _mm512_set1_epi8(5), ones = _mm512_set1_epi16(1);
    BERTHA_CHAINS(Sums16, sums[c] + (Sums16)_mm512_madd_epi16(_mm512_maddubs_epi16(x, y), ones));
}

__attribute__((target("avx512f,avx512vnni"))) void vnni_zmm() {
    __m512i x = _mm512_set1_epi8(3);
    const __m512i y = _mm512_set1_epi8(5);
    BERTHA_CHAINS(Sums16, (Sums16)_mm512_dpbusd_epi32((__m512i)sums[c], x, y));
}

__attribute__((target("avx512f,avx512bf16"))) void bf16_zmm() {
    __m512i x = _mm512_set1_epi32(0x3f003f00);
    const __m512bh y = (__m512bh)_mm512_set1_epi32(0x3e803e80);
    BERTHA_CHAINS(__m512, _mm512_dpbf16_ps(sums[c], (__m512bh)x, y));
}

#else
#if defined(__clang__)
#define BERTHA_TARGET(features) __attribute__((target(features)))
#else
#define BERTHA_TARGET(features) __attribute__((target("arch=armv8.2-a+" features)))
#endif

void fma_neon() {
    float32x4_t x = vdupq_n_f32(0.5f);
    const float32x4_t y = vdupq_n_f32(0.25f);
    BERTHA_CHAINS(float32x4_t, vfmaq_f32(sums[c], x, y));
}

// As kernels_neon.cc sums up 8-bit products.
void int8_neon() {
    int8x8_t x = vdup_n_s8(3);
    const int8x8_t y = vdup_n_s8(5);
    BERTHA_CHAINS(int32x4_t, vpadalq_s16(sums[c], vmlal_s8(vmull_s8(x, y), x, y)));
}

BERTHA_TARGET("dotprod") void sdot_neon() {
    int8x16_t x = vdupq_n_s8(3);
    const int8x16_t y = vdupq_n_s8(5);
    BERTHA_CHAINS(int32x4_t, vdotq_s32(sums[c], x, y));
}

BERTHA_TARGET("i8mm") void usmmla_neon() {
    uint8x16_t x = vdupq_n_u8(3);
    const int8x16_t y = vdupq_n_s8(5);
    BERTHA_CHAINS(int32x4_t, vusmmlaq_s32(sums[c], x, y));
}

BERTHA_TARGET("bf16") void bfmmla_neon() {
    uint16_t half = 0x3f00, quarter = 0x3e80;  // unknown: g++ 12 makes the vectors by an instruction of FP16
    __asm__("" : "+r"(half), "+r"(quarter));
    uint16x8_t x = vdupq_n_u16(half);
    const uint16x8_t y = vdupq_n_u16(quarter);
    BERTHA_CHAINS(float32x4_t, vbfmmlaq_f32(sums[c], vreinterpretq_bf16_u16(x), vreinterpretq_bf16_u16(y)));
}
#endif

// The best of many short measurements: whatever else runs can only make one longer.
double best_giga_ops(void (*loop)(), int ops_per_step) {
    double best = 1e9;
    for (int repeat = 0; repeat < kRepeats; repeat++) {
        const auto start = std::chrono::steady_clock::now();
        loop();
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        best = std::min(best, seconds.count());
    }
    return static_cast<double>(kSteps) * kChains * ops_per_step / best / 1e9;
}

}  // namespace

std::vector<Peak> measure_peaks() {
    const std::string isa = isa_report().chosen;
    std::vector<Peak> peaks;
    const auto add = [&](const char* precision, void (*loop)(), int ops_per_step) {
        peaks.push_back({precision, best_giga_ops(loop, ops_per_step)});
    };
#if defined(__x86_64__)
    if (isa.rfind("avx512", 0) == 0) {
        add("fp32", fma_zmm, 2 * 16);
        if (isa == "avx512_bf16") {
            if (bf16_products() == Bf16Products::kFma) {
                add("bf16", fma_zmm, 2 * 16);
            } else {
                add("bf16", bf16_zmm, 2 * 32);
            }
        }
        if (isa == "avx512") {
            add("int8", int8_zmm, 2 * 64);
        } else {
            add("int8", vnni_zmm, 2 * 64);
        }
    } else if (isa.rfind("avx2", 0) == 0) {
        add("fp32", fma_ymm, 2 * 8);
        if (isa == "avx2_vnni") {
            add("int8", vnni_ymm, 2 * 32);
        } else {
            add("int8", int8_ymm, 2 * 32);
            add("int8-fast", int8_fast_ymm, 2 * 64);
        }
    }
#else
    if (isa.rfind("neon", 0) == 0) {
        add("fp32", fma_neon, 2 * 4);
        if (isa == "neon_bf16") add("bf16", bfmmla_neon, 2 * 16);
        if (isa == "neon") {
            add("int8", int8_neon, 2 * 16);
        } else if (isa == "neon_dotprod") {
            add("int8", sdot_neon, 2 * 16);
        } else {
            add("int8", usmmla_neon, 2 * 32);
        }
    }
#endif
    if (!peaks.empty()) peaks.push_back({"fp16-weights", peaks.front().giga_ops});  // widened to fp32
    return peaks;
}
#else
std::vector<Peak> measure_peaks() { return {}; }
#endif

}  // namespace bertha::cpu
