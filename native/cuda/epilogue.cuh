// What follows a product: bias, activation, residual, rounding, store. Eight neighbouring columns at a time.
#pragma once

#include "cuda/types.cuh"

namespace bertha::cuda {

// Exact to fp32's rounding, as HF's modules define them: GELU by erf, not by tanh, unless asked for.
__device__ __forceinline__ float activate(Activation activation, float x) {
    switch (activation) {
        case Activation::kNone: return x;
        case Activation::kGelu: return 0.5f * x * erfcf(-0.70710678118654752f * x);
        case Activation::kGeluTanh:
            return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * fmaf(0.044715f * x * x, x, x)));
        case Activation::kRelu: return x < 0.0f ? 0.0f : x;
        case Activation::kSilu: return x / (1.0f + expf(-x));
        case Activation::kTanh: return tanhf(x);
        case Activation::kSigmoid: return 1.0f / (1.0f + expf(-x));
        case Activation::kQuickGelu: return x / (1.0f + expf(-1.702f * x));
        case Activation::kRelu6: return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x;
        case Activation::kReluSquared: return x < 0.0f ? 0.0f : x * x;
        case Activation::kLeakyRelu: return x < 0.0f ? 0.01f * x : x;
        case Activation::kMish: return x * tanhf(x > 20.0f ? x : log1pf(expf(x)));
    }
    return x;
}

template <typename Out>
struct Epilogue {
    Global<const float> bias;  // padded to a multiple of 8
    Global<const Out> residual;
    Global<Out> output;
    int32_t n, residual_stride, stride;
    Activation activation;

    // column is a multiple of 8 and below n; columns from n on lie in the row's padding.
    __device__ __forceinline__ void finish(int64_t row, int32_t column, const float (&sums)[8]) const {
        constexpr int kPack = 16 / sizeof(Out);
#pragma unroll
        for (int part = 0; part < 8; part += kPack) {
            float x[kPack];
#pragma unroll
            for (int j = 0; j < kPack; j++) x[j] = sums[part + j];
            if (bias.present()) {
#pragma unroll
                for (int j = 0; j < kPack; j += 4) {
                    const auto pack = bias.template load_pack<4>(column + part + j);
#pragma unroll
                    for (int i = 0; i < 4; i++) x[j + i] += pack.at[i];
                }
            }
#pragma unroll
            for (int j = 0; j < kPack; j++) x[j] = activate(activation, x[j]);
            if (residual.present()) {
                const auto pack = residual.template load_pack<kPack>(row * residual_stride + column + part);
#pragma unroll
                for (int j = 0; j < kPack; j++) x[j] += ptx::to_float(pack.at[j]);
            }
            Pack<Out, kPack> rounded;
#pragma unroll
            for (int j = 0; j < kPack; j++) rounded.at[j] = ptx::from_float<Out>(x[j]);
            output.store_pack(row * stride + column + part, rounded);
        }
    }
};

template <typename Out>
Epilogue<Out> epilogue(const LinearArgs& args) {
    return {global(args.bias),        global<const Out>(args.residual),
            global<Out>(args.output), args.output.width,
            args.residual.stride,     args.output.stride,
            args.activation};
}

}  // namespace bertha::cuda
