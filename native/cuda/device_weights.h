// A program's weights on the device, in one allocation, in the types its ops read.
#pragma once

#include <array>
#include <vector>

#include "cuda/device_memory.h"
#include "cuda/kernels/kernels.h"
#include "cuda/value_plan.h"
#include "engine/backend.h"

namespace bertha::cuda {

class DeviceWeights {
public:
    // Reads and uploads every weight that an op uses. Throws what `source` throws, DEVICE_OOM.
    DeviceWeights(const Program& program, const ValuePlan& plan, WeightSource& source);

    // A matrix or table in the type its reader has; nothing for kNoIndex.
    Tensor matrix(int32_t weight, Type type) const;
    Floats vector(int32_t weight) const;
    // [num_heads, 2 * kFarthest + 1] by distance, made from the buckets.
    Floats relative_bias(int32_t weight) const;
    int64_t bytes() const { return static_cast<int64_t>(memory_.bytes()); }

private:
    struct Entry {
        int32_t weight;
        Type type;
        bool by_distance;
        int64_t rows, cols, stride, offset;
    };
    void add(int32_t weight, Type type, bool by_distance = false);
    const Entry& find(int32_t weight, Type type) const;
    void upload(const Entry& entry, WeightSource& source, Stream stream);
    void upload_by_distance(const Entry& entry, WeightSource& source, Stream stream);

    const Program& program_;
    std::vector<Entry> entries_;
    std::vector<std::array<int32_t, 3>> index_;  // of entries_, by weight and type; kNoIndex for none
    int64_t total_ = 0;
    DeviceMemory memory_;
};

}  // namespace bertha::cuda
