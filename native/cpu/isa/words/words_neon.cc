// Steps of word vectors for NEON.
#include <cstdint>
#include <utility>

#include "cpu/word-vectors/word_kernels.h"

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
#include "cpu/kernels/words/words-inl.h"

constexpr WordKernels kTable = make_word_table();

}  // namespace
}  // namespace neon

#if !defined(__clang__)
#pragma GCC pop_options
#endif

const WordKernels* neon_word_kernels() { return &neon::kTable; }

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const WordKernels* neon_word_kernels() { return nullptr; }
}  // namespace bertha::cpu

#endif
