// All weights of a model in one block, in the order in which a forward reads them, so that the prefetch at
// the end of one matrix already fetches the next.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/kernels.h"
#include "engine/allocator.h"
#include "engine/backend.h"
#include "engine/program.h"

namespace bertha::cpu {

class PackedWeights {
public:
    // formats[i] says how the matrix of op i is stored (unused for other ops).
    PackedWeights(const Program& program, const std::vector<const MatrixFormat*>& formats,
                  WeightSource& source, Team& team);

    PackedMatrix matrix(int32_t weight) const;
    // A vector or table; null for kNoIndex and for an input scale that the op's format does not use.
    const float* row(int32_t weight) const {
        if (weight == kNoIndex || offsets_[static_cast<size_t>(weight)] < 0) return nullptr;
        return reinterpret_cast<const float*>(data_.as<uint8_t>() + offsets_[static_cast<size_t>(weight)]);
    }
    // What a linear's input columns are multiplied with before they are rounded, [k]; null: 1.
    const float* inverse_input_scale(const Op& op) const { return row(op.input_scale); }
    int64_t bytes() const { return static_cast<int64_t>(data_.bytes()); }

private:
    struct Part {  // what one unit of loading reads
        int32_t weight;
        int64_t row_begin, row_end;
    };
    void load_part(const Part& part, WeightSource& source, float* staging) const;
    void load_input_scale(int32_t weight, WeightSource& source);

    const Program& program_;
    std::vector<const MatrixFormat*> format_of_;    // by weight; null for vectors and tables
    std::vector<int64_t> offsets_;                  // by weight, bytes
    std::vector<int32_t> input_scale_of_;           // by matrix: the weight that scales its columns
    std::vector<std::vector<float>> input_scales_;  // by weight; only while loading
    Buffer data_;
};

}  // namespace bertha::cpu
