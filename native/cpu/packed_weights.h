// All weights of a model in one block, in the order in which a forward reads them, so that the prefetch at the end of one matrix
// already fetches the next.
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
    PackedWeights(const Program& program, const KernelTable& kernels, WeightSource& source, Team& team);

    PackedMatrix matrix(int32_t weight) const;
    const float* row(int32_t weight) const { return weight == kNoIndex ? nullptr : data_.floats() + offsets_[static_cast<size_t>(weight)]; }
    int64_t bytes() const { return static_cast<int64_t>(data_.bytes()); }

private:
    struct Part {  // what one unit of loading reads
        int32_t weight;
        int64_t row_begin, row_end;
    };
    void load_part(const Part& part, WeightSource& source, float* staging) const;

    const Program& program_;
    const KernelTable& kernels_;
    std::vector<int64_t> offsets_;  // floats
    Buffer data_;
};

}  // namespace bertha::cpu
