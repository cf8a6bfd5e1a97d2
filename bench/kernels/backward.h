// The products and the attention of a layer's backward, for bench/kernels.cc.
#pragma once

#include <cstdint>

namespace bertha::bench {

struct BackwardShape {
    int64_t tokens, length, hidden, heads, layers, repeats;
    bool bf16;  // the products
};

// Prints each op of one layer: microseconds, GF/s and the share of `peak`, in GF/s.
void profile_backward(const BackwardShape& shape, double peak);

}  // namespace bertha::bench
