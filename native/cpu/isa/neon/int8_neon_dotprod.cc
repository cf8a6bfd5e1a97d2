// int8 with SDOT: four products a lane, exact. It multiplies signed by signed numbers, see int8_signed-inl.h.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#if defined(__aarch64__)

#if defined(__clang__)
#include <arm_neon.h>
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC optimize("no-schedule-insns")
#pragma GCC target("arch=armv8.2-a+dotprod")
#include <arm_neon.h>
#endif

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace neon_dotprod {
namespace {

#include "cpu/isa/neon/simd_neon-inl.h"

inline const KernelTable& own_kernels() { return *neon_kernels(); }

// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/int8-inl.h"
#include "cpu/kernels/neon/int8_signed-inl.h"
// clang-format on

// 16 k of a row in one load, of which each SDOT takes a lane of four. 8 x 8: 16 accumulators, 8 panel
// vectors, a row's inputs.
struct DotInt8 : SignedLevels {
    static constexpr int64_t kGroup = 4;
    static constexpr int kGroups = 4, kRows = 8, kVectors = 2;
    static constexpr bool kDot = true;
    struct Weights {
        int8x16_t group[4];
    };
    using Inputs = int8x16_t;
    static Weights load_weights(const int8_t* p, int64_t next) {
        return {{vld1q_s8(p), vld1q_s8(p + next), vld1q_s8(p + 2 * next), vld1q_s8(p + 3 * next)}};
    }
    static int8x16_t load_inputs(const uint8_t* p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
    static VecI dot(VecI sum, int8x16_t x, const Weights& w) {
        sum = vdotq_laneq_s32(sum, w.group[0], x, 0);
        sum = vdotq_laneq_s32(sum, w.group[1], x, 1);
        sum = vdotq_laneq_s32(sum, w.group[2], x, 2);
        return vdotq_laneq_s32(sum, w.group[3], x, 3);
    }
};

constexpr MatrixFormat kFormat = int8_format<DotInt8>("int8");

}  // namespace
}  // namespace neon_dotprod

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const MatrixFormat* neon_dotprod_int8() { return &neon_dotprod::kFormat; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const MatrixFormat* neon_dotprod_int8() { return nullptr; }
}  // namespace bertha::cpu

#endif
