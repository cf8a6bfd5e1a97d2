// int8 with USMMLA: 32 products of unsigned by signed numbers an instruction, exact.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#if defined(__aarch64__)

#if defined(__clang__)
#include <arm_neon.h>
#pragma clang attribute push(__attribute__((target("i8mm"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC optimize("no-schedule-insns")
#pragma GCC target("arch=armv8.2-a+i8mm")
#include <arm_neon.h>
#endif

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace neon_i8mm {
namespace {

#include "cpu/isa/neon/simd_neon-inl.h"

inline const KernelTable& own_kernels() { return *neon_kernels(); }

// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/int8-inl.h"
#include "cpu/kernels/neon/blocks-inl.h"
// clang-format on

struct Int8Blocks {
    using Sums = VecI;
    static VecI dot(VecI sums, VecI rows, VecI columns) {
        return vusmmlaq_s32(sums, vreinterpretq_u8_s32(rows), vreinterpretq_s8_s32(columns));
    }
};

struct BlockInt8 : UnsignedLevels {
    static constexpr int kLevels = 255, kLimit = 127, kGroups = 2, kRows = kBlockRows,
                         kVectors = kBlockVectors;
    static constexpr int64_t kGroup = kBlockBytes;
    static constexpr bool kDot = false, kOwnLoop = true;
    template <int R, bool kPrefetch>
    static void multiply(const uint8_t* rows, int64_t row_bytes, const int8_t* weights, int64_t steps,
                         int64_t ahead, VecI (&sums)[R][kVectors]) {
        multiply_blocks<Int8Blocks, R, kVectors, kPrefetch>(
            rows, row_bytes, reinterpret_cast<const uint8_t*>(weights), steps, ahead, sums);
    }
};

constexpr MatrixFormat kFormat = int8_format<BlockInt8>("int8");

}  // namespace
}  // namespace neon_i8mm

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const MatrixFormat* neon_i8mm_int8() { return &neon_i8mm::kFormat; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const MatrixFormat* neon_i8mm_int8() { return nullptr; }
}  // namespace bertha::cpu

#endif
