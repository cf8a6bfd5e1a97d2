// bf16 on AVX-512 BF16: products by vdpbf16ps or by FMAs, attention by vdpbf16ps.
#include <cstdint>
#include <utility>

#include "cpu/kernels.h"

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
// clang-format on

constexpr Bf16Kernels kByInstruction = {kBf16Format, bf16_attention_scratch, attention_bf16};
constexpr Bf16Kernels kByFma = {kBf16ByFmaFormat, bf16_attention_scratch, attention_bf16};

}  // namespace
}  // namespace avx512_bf16

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const Bf16Kernels* avx512_bf16_kernels(Bf16Products products) {
    return products == Bf16Products::kFma ? &avx512_bf16::kByFma : &avx512_bf16::kByInstruction;
}

}  // namespace bertha::cpu

#else

namespace bertha::cpu {
const Bf16Kernels* avx512_bf16_kernels(Bf16Products) { return nullptr; }
}  // namespace bertha::cpu

#endif
