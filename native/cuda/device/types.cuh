// From the run-time Type of a tensor to the C++ type of a kernel.
#pragma once

#include "cuda/kernels/kernels.h"
#include "cuda/device/ptx.cuh"
#include "engine/check.h"

namespace bertha::cuda {

template <typename T>
struct As {
    using type = T;
};

// Calls function(As<float>{}), As<Half> or As<Bfloat16>.
template <typename Function>
void with_type(Type type, Function&& function) {
    switch (type) {
        case Type::kFloat: return function(As<float>{});
        case Type::kHalf: return function(As<Half>{});
        case Type::kBfloat16: return function(As<Bfloat16>{});
    }
}
// Those that the tensor cores take.
template <typename Function>
void with_half_type(Type type, Function&& function) {
    BERTHA_CHECK(type != Type::kFloat, "INTERNAL", "expected a 16-bit tensor");
    if (type == Type::kHalf) return function(As<Half>{});
    return function(As<Bfloat16>{});
}

template <typename T>
Global<T> global(const Tensor& tensor) {
    return {static_cast<T*>(tensor.data), tensor.elements()};
}
// The columns from `begin` on: element 0 is the first of them.
template <typename T>
Global<T> global(const HeadRows& heads) {
    return {static_cast<T*>(heads.rows.data) + heads.begin, heads.rows.elements() - heads.begin};
}
inline Global<const float> global(Floats floats) { return {floats.data, floats.count}; }
inline Global<const int32_t> global(Ints ints) { return {ints.data, ints.count}; }

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace bertha::cuda
