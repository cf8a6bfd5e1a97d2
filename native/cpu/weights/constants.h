// Values of constant rows, computed once when a model is loaded and kept like its weights.
#pragma once

#include <vector>

#include "cpu/kernels.h"
#include "engine/allocator.h"
#include "engine/backend.h"
#include "engine/program/program.h"

namespace bertha::cpu {

class Constants {
public:
    // Computes, in fp32, what ops of other rows read. The weights of ops that only this needs are not kept.
    Constants(const Program& program, const KernelTable& kernels, WeightSource& source, Team& team);

    // [rows, width]; null for a value that is not one of them.
    const float* rows(int32_t value) const {
        const Buffer& buffer = values_[static_cast<size_t>(value)];
        return buffer.bytes() > 0 ? buffer.floats() : nullptr;
    }
    int64_t bytes() const;

private:
    std::vector<Buffer> values_;  // by value
};

// The program without the ops of constant rows.
Program without_constants(Program program);

}  // namespace bertha::cpu
