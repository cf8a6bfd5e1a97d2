// How tensor cores add up the products of mma, by the published bit-exact models (arXiv 2511.10909 and
// 2512.07004): of a group of products and the addend, each is cut off a number of bits below the largest
// exponent among them, what is left is added exactly, and the sum is cut off to fp32.
#pragma once

#include <algorithm>
#include <cmath>

#include "cuda-emulator/emulator.h"

namespace bertha::emulator {

struct TensorCoreModel {
    int products;  // that are added at a time
    int bits;      // below the largest exponent
};
inline TensorCoreModel model_of(TensorCore core) {
    return core == TensorCore::kHopper ? TensorCoreModel{16, 25} : TensorCoreModel{8, 24};
}

// addend + a[0] b[0] + ... of one group. Values of a and b have at most 11 significant bits.
inline float add_group(const float* a, const float* b, float addend, const TensorCoreModel& model) {
    int largest = -1000;
    float plain = addend;
    for (int i = 0; i < model.products; i++) {
        plain += a[i] * b[i];
        if (a[i] != 0.0f && b[i] != 0.0f) largest = std::max(largest, std::ilogb(a[i]) + std::ilogb(b[i]));
    }
    if (!std::isfinite(plain)) return plain;
    if (addend != 0.0f) largest = std::max(largest, std::ilogb(addend));
    if (largest == -1000) return 0.0f;
    // In units of the last bit that is kept a term has 27 bits at most: their sum is exact in double.
    double sum = std::trunc(std::ldexp(static_cast<double>(addend), model.bits - largest));
    for (int i = 0; i < model.products; i++)
        sum += std::trunc(std::ldexp(static_cast<double>(a[i]) * b[i], model.bits - largest));
    const double exact = std::ldexp(sum, largest - model.bits);
    const auto nearest = static_cast<float>(exact);
    return std::fabs(nearest) > std::fabs(exact) ? std::nextafter(nearest, 0.0f) : nearest;
}

// addend + a · b over the 16 columns of one mma.
inline float multiply_row(const float (&a)[16], const float (&b)[16], float addend) {
    const TensorCore core = options().tensor_core;
    if (core == TensorCore::kPlain) {
        for (int i = 0; i < 16; i++) addend += a[i] * b[i];
        return addend;
    }
    const TensorCoreModel model = model_of(core);
    for (int i = 0; i < 16; i += model.products) addend = add_group(a + i, b + i, addend, model);
    return addend;
}

}  // namespace bertha::emulator
