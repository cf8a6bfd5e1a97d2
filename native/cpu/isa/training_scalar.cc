// What learning needs, for whatever the baseline of the architecture has.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/training/training_kernels.h"

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace scalar {
namespace {

#include "cpu/isa/simd_scalar-inl.h"

inline const KernelTable& own_kernels() { return *scalar_kernels(); }

#include "cpu/kernels/training/training-kernels-inl.h"

constexpr TrainingKernels kTable = make_training_table();

}  // namespace
}  // namespace scalar

const TrainingKernels* scalar_training_kernels() { return &scalar::kTable; }

}  // namespace bertha::cpu
