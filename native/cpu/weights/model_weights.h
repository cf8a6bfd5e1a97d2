// What a forward reads of weights: packed once for inference, or the live ones of a model that learns.
#pragma once

#include <cstdint>

#include "cpu/kernels.h"

namespace bertha::cpu {

class ModelWeights {
public:
    virtual ~ModelWeights() = default;
    // The matrix of a linear, by its op's index.
    virtual PackedMatrix matrix(int32_t op) const = 0;
    // Makes sure that the rows of a batch's words are in memory. Throws IO.
    virtual void require_words(const int32_t* ids, int64_t count) const = 0;
    // A vector or table; null for kNoIndex.
    virtual const float* row(int32_t weight) const = 0;
    // The word table of an embed op; or null, with the rows of `ids` in output [count, cols], where it is
    // kept as integers. row() has no such table.
    virtual const float* words(int32_t weight, const int32_t* /* ids */, int64_t /* count */,
                               float* /* output */) const {
        return row(weight);
    }
    // What the input columns of the linear with this op index are multiplied with before they are rounded,
    // [k]; null: 1.
    virtual const float* inverse_input_scale(int32_t op) const = 0;
};

}  // namespace bertha::cpu
