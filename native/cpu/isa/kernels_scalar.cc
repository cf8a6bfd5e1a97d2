// The portable kernels: whatever the baseline of the architecture has.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace scalar {
namespace {

#include "cpu/isa/simd_scalar-inl.h"

inline const KernelTable& own_kernels() { return *scalar_kernels(); }

#include "cpu/kernels/kernels-inl.h"

// 8-bit activations and weights, summed one by one.
struct Int8 : UnsignedLevels {
    static constexpr int kLevels = 255, kLimit = 127, kGroups = 1, kRows = 4, kVectors = 1;
    static constexpr int64_t kGroup = 4;
    static constexpr bool kDot = false, kOwnLoop = false;
    using Weights = const int8_t*;
    using Inputs = const uint8_t*;
    static Weights load_weights(const int8_t* p, int64_t) { return p; }
    static Inputs load_inputs(const uint8_t* p) { return p; }
    static VecI dot(VecI sum, Inputs x, Weights w) {
        for (int lane = 0; lane < 4; lane++)
            for (int i = 0; i < 4; i++) sum[lane] += x[i] * w[lane * 4 + i];
        return sum;
    }
};

constexpr KernelTable kTable = make_table<Int8, Int8>("scalar");

}  // namespace
}  // namespace scalar

const KernelTable* scalar_kernels() { return &scalar::kTable; }

}  // namespace bertha::cpu
