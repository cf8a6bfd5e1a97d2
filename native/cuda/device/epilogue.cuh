// What follows a product: bias, activation, residual, rounding, store. Eight neighbouring columns at a time.
#pragma once

#include <type_traits>

#include "cuda/device/gelu.cuh"
#include "cuda/device/types.cuh"

namespace bertha::cuda {

// The activations that a kernel holds. Those that nearly every product of a BERT needs have kernels of their
// own; a small tile holds all. kGates: GELU or SiLU, which gated products have. With all twelve the bulk tile
// would have 10,000 instructions, more than an SM's instruction caches hold, and an indirect branch for every
// output.
enum class Activations { kNone, kGelu, kAny, kGates };

// As HF's modules define them, exact to fp32's rounding but for GELU, which is as exact as Out.
template <typename Out, int kCount>
__device__ __forceinline__ void activate_any(Activation activation, float (&x)[kCount]) {
    const auto each = [&](auto function) {
#pragma unroll
        for (int j = 0; j < kCount; j++) x[j] = function(x[j]);
    };
    switch (activation) {
        case Activation::kNone: return;
        case Activation::kGelu: return each([](float y) { return gelu<Out>(y); });
        case Activation::kGeluTanh:
            return each([](float y) {
                return 0.5f * y * (1.0f + tanhf(0.79788456080286536f * fmaf(0.044715f * y * y, y, y)));
            });
        case Activation::kRelu: return each([](float y) { return y < 0.0f ? 0.0f : y; });
        case Activation::kSilu: return each([](float y) { return y / (1.0f + expf(-y)); });
        case Activation::kTanh: return each([](float y) { return tanhf(y); });
        case Activation::kSigmoid: return each([](float y) { return 1.0f / (1.0f + expf(-y)); });
        case Activation::kQuickGelu: return each([](float y) { return y / (1.0f + expf(-1.702f * y)); });
        case Activation::kRelu6: return each([](float y) { return y < 0.0f ? 0.0f : y > 6.0f ? 6.0f : y; });
        case Activation::kReluSquared: return each([](float y) { return y < 0.0f ? 0.0f : y * y; });
        case Activation::kLeakyRelu: return each([](float y) { return y < 0.0f ? 0.01f * y : y; });
        case Activation::kMish:
            return each([](float y) { return y * tanhf(y > 20.0f ? y : log1pf(expf(y))); });
    }
}

// What a product adds to its columns.
struct Bias {
    Global<const float> bias;  // padded to a multiple of 8
    int32_t n;

    // Eight columns from `first` on, a multiple of 8; those from n on lie in the row's padding. A thread
    // reads their bias once for all its rows: a branch for it in the loop over rows would double the loop's
    // code.
    struct Columns {
        int32_t first;
        float bias[8];
    };
    __device__ __forceinline__ Columns columns(int32_t first) const {
        Columns of{first, {}};
        if (!bias.present() || first >= n) return of;
#pragma unroll
        for (int j = 0; j < 8; j += 4) {
            const auto pack = bias.template load_pack<4>(first + j);
#pragma unroll
            for (int i = 0; i < 4; i++) of.bias[j + i] = pack.at[i];
        }
        return of;
    }
};

template <typename Out, Activations kActivations>
struct Epilogue : Bias {
    static constexpr Activations activations = kActivations;
    using WithAnyActivation = Epilogue<Out, Activations::kAny>;
    Global<const Out> residual;
    Global<Out> output;
    int32_t residual_stride, stride;
    Activation activation;

    static Epilogue of(const LinearArgs& args) {
        return {{global(args.bias), static_cast<int32_t>(args.weight.rows)},
                global<const Out>(args.residual),
                global<Out>(args.output),
                args.residual.stride,
                args.output.stride,
                args.activation};
    }
    // columns.first is below n.
    __device__ __forceinline__ void finish(int64_t row, const Columns& columns,
                                           const float (&sums)[8]) const {
        constexpr int kPack = 16 / sizeof(Out);
#pragma unroll
        for (int part = 0; part < 8; part += kPack) {
            float x[kPack];
#pragma unroll
            for (int j = 0; j < kPack; j++) x[j] = sums[part + j] + columns.bias[part + j];
            if constexpr (kActivations == Activations::kGelu) {
#pragma unroll
                for (int j = 0; j < kPack; j++) x[j] = gelu<Out>(x[j]);
            }
            if constexpr (kActivations == Activations::kAny) activate_any<Out>(activation, x);
            if (ptx::tested_here(residual.present())) {
                const auto pack = residual.template load_pack<kPack>(row * residual_stride + columns.first +
                                                                     part);
#pragma unroll
                for (int j = 0; j < kPack; j++) x[j] = ptx::add(x[j], ptx::to_float(pack.at[j]));
            }
            Pack<Out, kPack> rounded;
#pragma unroll
            for (int j = 0; j < kPack; j++) rounded.at[j] = ptx::from_float<Out>(x[j]);
            output.store_pack(row * stride + columns.first + part, rounded);
        }
    }
};

// Of a gated product: of eight neighbouring columns (kGateColumns) four are activated and multiply the other
// four, so that a thread has all of an output's factors.
template <typename Out, Activations kActivations>
struct GatedEpilogue : Bias {
    static constexpr Activations activations = kActivations;
    using WithAnyActivation = GatedEpilogue<Out, Activations::kAny>;
    Global<Out> output;
    int32_t stride;
    Activation activation;

    static GatedEpilogue of(const LinearArgs& args) {
        return {{global(args.bias), static_cast<int32_t>(args.weight.rows)},
                global<Out>(args.output),
                args.output.stride,
                args.activation};
    }
    __device__ __forceinline__ void finish(int64_t row, const Columns& columns,
                                           const float (&sums)[8]) const {
        float x[kGateColumns];
#pragma unroll
        for (int j = 0; j < kGateColumns; j++) x[j] = sums[j] + columns.bias[j];
        if constexpr (kActivations == Activations::kGates) {
            if (activation == Activation::kGelu) {
#pragma unroll
                for (int j = 0; j < kGateColumns; j++) x[j] = gelu<Out>(x[j]);
            } else {
#pragma unroll
                for (int j = 0; j < kGateColumns; j++) x[j] = x[j] / (1.0f + expf(-x[j]));
            }
        } else {
            activate_any<Out>(activation, x);
        }
        Pack<Out, kGateColumns> rounded;
#pragma unroll
        for (int j = 0; j < kGateColumns; j++) {
            const float factor = sums[kGateColumns + j] + columns.bias[kGateColumns + j];
            rounded.at[j] = ptx::from_float<Out>(x[j] * factor);
        }
        output.store_pack(row * stride + columns.first / 2, rounded);
    }
};

// Calls function(epilogue) with the kind that the product of operands T has a kernel for. GELU has one where
// the output is of the operands' type, and so have gated products, whose outputs are.
template <typename T, typename Function>
void with_epilogue(const LinearArgs& args, Function&& function) {
    if (args.gated) {
        if constexpr (!std::is_same_v<T, float>)
            if (args.activation == Activation::kGelu || args.activation == Activation::kSilu)
                return function(GatedEpilogue<T, Activations::kGates>::of(args));
        return function(GatedEpilogue<T, Activations::kAny>::of(args));
    }
    const auto with_output = [&](auto as) {
        using Out = typename decltype(as)::type;
        if (args.activation == Activation::kNone)
            return function(Epilogue<Out, Activations::kNone>::of(args));
        if constexpr (std::is_same_v<Out, T>)
            if (args.activation == Activation::kGelu)
                return function(Epilogue<Out, Activations::kGelu>::of(args));
        function(Epilogue<Out, Activations::kAny>::of(args));
    };
    if (args.output.type == Type::kFloat) return with_output(As<float>{});
    with_output(As<T>{});
}

}  // namespace bertha::cuda
