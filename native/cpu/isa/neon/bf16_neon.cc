// bf16 with BFMMLA, for forwards and for learning; attention stays fp32.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/training/training_kernels.h"

#if defined(__aarch64__)

#if defined(__clang__)
#include <arm_neon.h>
#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC optimize("no-schedule-insns")
#pragma GCC target("arch=armv8.2-a+bf16")
#include <arm_neon.h>
#endif

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace neon_bf16 {
namespace {

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"  // most of linear-grad-inl.h is not used here
#endif

#include "cpu/isa/neon/simd_neon-inl.h"

inline const KernelTable& own_kernels() { return *neon_kernels(); }

// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/neon/blocks-inl.h"
#include "cpu/kernels/neon/bf16_blocks-inl.h"
#include "cpu/kernels/training/grad-blocks-inl.h"
#include "cpu/kernels/training/linear-grad-inl.h"
#include "cpu/kernels/training/linear-grad-bf16-blocks-inl.h"
// clang-format on

constexpr Bf16Kernels kKernels = {kBf16Format, nullptr, nullptr};
constexpr Bf16TrainingKernels kTraining = {round_panel, round_transposed_panel, linear_grad_weight_scratch,
                                           linear_grad_weight_of<RoundedRows>};

}  // namespace
}  // namespace neon_bf16

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const Bf16Kernels* neon_bf16_kernels() { return &neon_bf16::kKernels; }
const Bf16TrainingKernels* neon_bf16_training_kernels() { return &neon_bf16::kTraining; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const Bf16Kernels* neon_bf16_kernels() { return nullptr; }
const Bf16TrainingKernels* neon_bf16_training_kernels() { return nullptr; }
}  // namespace bertha::cpu

#endif
