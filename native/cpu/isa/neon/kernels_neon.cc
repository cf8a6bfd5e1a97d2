// The kernels for NEON, which every arm64 processor has.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

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

#include "cpu/kernels/kernels-inl.h"
#include "cpu/kernels/neon/int8_signed-inl.h"

// Without a dot product: pairs of k, two of whose products fit 16 bits, 2 * 128 * 127 = 32512, before they
// are summed in 32.
struct PairInt8 : SignedLevels {
    static constexpr int64_t kGroup = 2;
    static constexpr int kGroups = 2, kRows = 6, kVectors = 2;
    static constexpr bool kDot = false;
    struct Weights {
        int8x8_t group[2];
    };
    struct Inputs {
        int8x8_t group[2];
    };
    static Weights load_weights(const int8_t* p, int64_t next) { return {{vld1_s8(p), vld1_s8(p + next)}}; }
    static int8x8_t load_pair(const uint8_t* p) {
        int16_t two;
        __builtin_memcpy(&two, p, sizeof two);
        return vreinterpret_s8_s16(vdup_n_s16(two));
    }
    static Inputs load_inputs(const uint8_t* p) { return {{load_pair(p), load_pair(p + 2)}}; }
    static VecI dot(VecI sum, const Inputs& x, const Weights& w) {
        return vpadalq_s16(sum, vmlal_s8(vmull_s8(x.group[0], w.group[0]), x.group[1], w.group[1]));
    }
};

// int8 is exact, and no coarser format would be faster.
constexpr KernelTable make_neon_table() {
    KernelTable table = make_table<PairInt8, PairInt8>("neon");
    table.int8_fast = MatrixFormat{};
    return table;
}

constexpr KernelTable kTable = make_neon_table();

}  // namespace
}  // namespace neon

#if !defined(__clang__)
#pragma GCC pop_options
#endif

const KernelTable* neon_kernels() { return &neon::kTable; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const KernelTable* neon_kernels() { return nullptr; }
}  // namespace bertha::cpu

#endif
