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
    // A vector or table; null for kNoIndex.
    const float* row(int32_t weight) const {
        return weight == kNoIndex ? nullptr
                                  : reinterpret_cast<const float*>(data_.as<uint8_t>() +
                                                                   offsets_[static_cast<size_t>(weight)]);
    }
    int64_t bytes() const { return static_cast<int64_t>(data_.bytes()); }

private:
    struct Part {  // what one unit of loading reads
        int32_t weight;
        int64_t row_begin, row_end;
    };
    void load_part(const Part& part, WeightSource& source, float* staging) const;

    const Program& program_;
    std::vector<const MatrixFormat*> format_of_;  // by weight; null for vectors and tables
    std::vector<int64_t> offsets_;                // bytes
    Buffer data_;
};

}  // namespace bertha::cpu
