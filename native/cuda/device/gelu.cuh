// GELU(x) = x Φ(x), as torch's nn.GELU() has it.
#pragma once

#include "cuda/device/ptx.cuh"

namespace bertha::cuda {

// For fp32: within fp32's rounding, 48 instructions.
__device__ __forceinline__ float gelu_exact(float x) { return 0.5f * x * erfcf(-0.70710678118654752f * x); }

// For results that are rounded to 16 bits, 17 instructions, of which one of the special function unit:
//   x Φ(x) = max(x, 0) - t exp(-t² / 2) Q(t), t = |x|, Q(t) = erfcx(t / √2) / 2 as a polynomial in t - 3
// (scripts/fit_polynomials.py). Relative error below 2^-13.7: 2^-13.78 of the fit, 2^-19 of the exponent's
// rounding, 2^-21 of the polynomial's and 2^-22 of ex2; a seventh of a rounding to fp16, a thirtieth of one
// to bf16. t stops at 5.75, where x Φ(x) = -2.6e-8 rounds to zero in fp16: below, the absolute error
// is 2.6e-8. Fused and separate operations are spelt out, so that every kernel gets the same bits.
__device__ __forceinline__ float gelu_approx(float x) {
    constexpr float kLimit = 5.75f, kCentre = 3.0f, kMinusHalfLog2E = -0.72134752f;
    constexpr float kQ[] = {1.215225235e-01f, -3.440560773e-02f, 9.103639051e-03f, -2.290896839e-03f,
                            6.058026920e-04f, -1.437313913e-04f, 1.292899378e-05f, -1.910317678e-06f,
                            3.100474260e-06f, -6.856779464e-07f};  // increasing powers
    const float t = fminf(fabsf(x), kLimit), u = t - kCentre;
    float q = kQ[9];
#pragma unroll
    for (int power = 8; power >= 0; power--) q = fmaf(q, u, kQ[power]);
    const float weight = t * ptx::exp2_approx(t * (t * kMinusHalfLog2E));
    return fmaf(-weight, q, ptx::max_or_nan(x, 0.0f));
}

// As exact as an output of type Out can tell.
template <typename Out>
__device__ __forceinline__ float gelu(float x) {
    if constexpr (sizeof(Out) == sizeof(float))
        return gelu_exact(x);
    else
        return gelu_approx(x);
}

}  // namespace bertha::cuda
