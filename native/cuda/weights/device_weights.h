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

    // A matrix or table in the type its reader has; nothing for kNoIndex. gated: of a gated product, in
    // the order that LinearArgs has.
    Tensor matrix(int32_t weight, Type type, bool gated = false) const;
    Floats vector(int32_t weight, bool gated = false) const;
    // [num_heads, 2 * kFarthest + 1] by distance, made from the buckets.
    Floats relative_bias(int32_t weight) const;
    int64_t bytes() const { return static_cast<int64_t>(memory_.bytes()); }

private:
    enum class Order { kStored, kByDistance, kGated };
    struct Entry {
        int32_t weight;
        Type type;
        Order order;
        int64_t rows, cols, stride, offset;
    };
    void add(int32_t weight, Type type, Order order = Order::kStored);
    Floats floats(const Entry& entry) const;
    const Entry& find(int32_t weight, Type type, Order order) const;
    void upload(const Entry& entry, WeightSource& source, Stream stream);
    void upload_by_distance(const Entry& entry, WeightSource& source, Stream stream);
    std::vector<float> read(const Entry& entry, WeightSource& source, int64_t row, int64_t rows) const;
    std::vector<float> read_gated(const Entry& entry, WeightSource& source, int64_t row, int64_t rows) const;

    const Program& program_;
    std::vector<Entry> entries_;
    // Of entries_, by weight, order and type; kNoIndex for none.
    std::vector<std::array<std::array<int32_t, 3>, 3>> index_;
    int64_t total_ = 0;
    DeviceMemory memory_;
};

}  // namespace bertha::cuda
