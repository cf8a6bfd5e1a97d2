// The portable kernels: whatever the baseline of the architecture has.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into the baseline.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace scalar {
namespace {

#include "cpu/simd_scalar-inl.h"
#include "cpu/kernels-inl.h"

constexpr KernelTable kTable = make_table("scalar");

}  // namespace
}  // namespace scalar

const KernelTable* scalar_kernels() {
    return &scalar::kTable;
}

}  // namespace bertha::cpu
