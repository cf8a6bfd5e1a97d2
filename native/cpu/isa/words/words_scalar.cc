// Steps of word vectors for whatever the baseline of the architecture has.
// Standard headers come before the target pragma: nothing inline from them may carry these instructions into
// the baseline.
#include <cstdint>
#include <utility>

#include "cpu/word-vectors/word_kernels.h"

#define BERTHA_KEEP_IN_REGISTER(x)

namespace bertha::cpu {
namespace scalar {
namespace {

#include "cpu/isa/simd_scalar-inl.h"
#include "cpu/kernels/words/words-inl.h"

constexpr WordKernels kTable = make_word_table();

}  // namespace
}  // namespace scalar

const WordKernels* scalar_word_kernels() { return &scalar::kTable; }

}  // namespace bertha::cpu
