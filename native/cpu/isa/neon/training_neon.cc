// What learning needs, for NEON.
#include <cstdint>
#include <utility>

#include "cpu/training/training_kernels.h"

#if defined(__aarch64__)

#if !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("no-schedule-insns")
#endif
#include <arm_neon.h>

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace neon {
namespace {

#include "cpu/isa/neon/simd_neon-inl.h"

inline const KernelTable& own_kernels() { return *neon_kernels(); }

#include "cpu/kernels/training/training-kernels-inl.h"

constexpr TrainingKernels kTable = make_training_table();

}  // namespace
}  // namespace neon

#if !defined(__clang__)
#pragma GCC pop_options
#endif

const TrainingKernels* neon_training_kernels() { return &neon::kTable; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const TrainingKernels* neon_training_kernels() { return nullptr; }
}  // namespace bertha::cpu

#endif
