// Values of constant rows, computed once when a model is loaded and kept on the device like its weights.
#pragma once

#include <map>

#include "cuda/device_memory.h"
#include "cuda/kernels/kernels.h"
#include "engine/backend.h"

namespace bertha::cuda {

class DeviceConstants {
public:
    // Computes, in fp32 and on the device of the calling thread, what ops of other rows read.
    DeviceConstants(const Program& program, WeightSource& source);

    // [rows, width] without gaps; nothing for kNoIndex.
    Floats rows(int32_t value) const;
    int64_t bytes() const { return static_cast<int64_t>(memory_.bytes()); }

private:
    std::map<int32_t, Floats> values_;
    DeviceMemory memory_;
};

}  // namespace bertha::cuda
