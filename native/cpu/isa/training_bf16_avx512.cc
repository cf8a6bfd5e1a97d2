// What learning needs with bf16 products on AVX-512 BF16, by vdpbf16ps or by FMAs.
#include <cstdint>
#include <utility>

#include "cpu/training/training_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(                                                               \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c")
#endif

#define BERTHA_KEEP_IN_REGISTER(x) __asm__("" : "+v"(x))

namespace bertha::cpu {
namespace avx512_bf16 {
namespace {

#pragma GCC diagnostic ignored "-Wunused-function"  // the forward's own entry points are not used here

#include "cpu/isa/simd_avx512-inl.h"

inline const KernelTable& own_kernels() { return *avx512_kernels(); }

// clang-format off
#include "cpu/kernels/math-inl.h"
#include "cpu/kernels/gemm-inl.h"
#include "cpu/kernels/positions-inl.h"
#include "cpu/kernels/attention_panels-inl.h"
#include "cpu/kernels/disentangled-inl.h"
#include "cpu/kernels/attention-inl.h"
#include "cpu/kernels/bf16-inl.h"
#include "cpu/kernels/bf16_by_fma-inl.h"
#include "cpu/kernels/attention_bf16-inl.h"
#include "cpu/kernels/training/grad-blocks-inl.h"
#include "cpu/kernels/training/linear-grad-inl.h"
#include "cpu/kernels/training/linear-grad-bf16-inl.h"
// clang-format on

constexpr Bf16TrainingKernels kByInstruction = {round_panel, round_transposed_panel,
                                                linear_grad_weight_bf16_scratch, linear_grad_weight_bf16};
constexpr Bf16TrainingKernels kByFma = {round_panel, round_transposed_panel, linear_grad_weight_scratch,
                                        linear_grad_weight_of<RoundedRows>};

}  // namespace
}  // namespace avx512_bf16

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const Bf16TrainingKernels* avx512_bf16_training_kernels(Bf16Products products) {
    return products == Bf16Products::kFma ? &avx512_bf16::kByFma : &avx512_bf16::kByInstruction;
}

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const Bf16TrainingKernels* avx512_bf16_training_kernels(Bf16Products) { return nullptr; }
}  // namespace bertha::cpu

#endif
