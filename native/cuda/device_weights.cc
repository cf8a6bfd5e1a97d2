#include "cuda/device_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/check.h"

namespace bertha::cuda {
namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kStagingBytes = int64_t{4} << 20;

uint16_t to_bfloat16(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Rounds to nearest, ties to even; what is too large becomes infinite.
uint16_t to_half(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000;
    const float size = std::fabs(x);
    if (size >= 65520.0f) return static_cast<uint16_t>(sign | 0x7c00);
    if (size < 0x1p-14f)
        return static_cast<uint16_t>(sign | static_cast<uint32_t>(std::nearbyint(size * 0x1p24f)));
    bits &= 0x7fffffff;
    return static_cast<uint16_t>(sign | (((bits + 0xfff + (bits >> 13 & 1)) >> 13) - (112u << 10)));
}

}  // namespace

DeviceWeights::DeviceWeights(const Program& program, const ValuePlan& plan, WeightSource& source)
    : program_(program), index_(program.weights.size(), {kNoIndex, kNoIndex, kNoIndex}) {
    const auto type_of = [&](int32_t value) { return plan.values[static_cast<size_t>(value)].type; };
    for (const Op& op : program.ops) {
        if (const auto* embed = std::get_if<ops::Embed>(&op)) {
            for_each_weight(op, [&](int32_t table) { add(table, type_of(embed->output)); });
        } else if (const auto* linear = std::get_if<ops::Linear>(&op)) {
            add(linear->matrix, type_of(linear->input));
            add(linear->bias, Type::kFloat);
        } else if (const auto* attention = std::get_if<ops::Attention>(&op)) {
            add(attention->relative_bias, Type::kFloat, true);
        } else {
            for_each_weight(op, [&](int32_t vector) { add(vector, Type::kFloat); });
        }
    }
    memory_.reserve(static_cast<size_t>(std::max(total_, kAlignment)));
    const OwnedStream stream;
    for (const Entry& entry : entries_)
        entry.by_distance ? upload_by_distance(entry, source, stream.get())
                          : upload(entry, source, stream.get());
}

void DeviceWeights::add(int32_t weight, Type type, bool by_distance) {
    if (weight == kNoIndex) return;
    int32_t& index = index_[static_cast<size_t>(weight)][static_cast<size_t>(type)];
    if (index != kNoIndex) return;
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    const bool vector = shape.kind == WeightKind::kVector;
    Entry entry{weight, type, by_distance, vector ? 1 : shape.rows, shape.cols, 0, total_};
    if (by_distance) {
        entry.rows = shape.cols;
        entry.cols = 2 * kFarthest + 1;
    }
    entry.stride = by_distance ? entry.cols : (entry.cols + 7) / 8 * 8;
    total_ += (entry.rows * entry.stride * bytes_of(type) + kAlignment - 1) / kAlignment * kAlignment;
    index = static_cast<int32_t>(entries_.size());
    entries_.push_back(entry);
}

const DeviceWeights::Entry& DeviceWeights::find(int32_t weight, Type type) const {
    const int32_t index = index_[static_cast<size_t>(weight)][static_cast<size_t>(type)];
    BERTHA_CHECK(index != kNoIndex, "INTERNAL", "weight %d was not uploaded", weight);
    return entries_[static_cast<size_t>(index)];
}

void DeviceWeights::upload(const Entry& entry, WeightSource& source, Stream stream) {
    const int64_t row_bytes = entry.stride * bytes_of(entry.type);
    const int64_t step = std::max<int64_t>(1, kStagingBytes / row_bytes);
    std::vector<float> values;
    std::vector<uint8_t> staging;
    for (int64_t row = 0; row < entry.rows; row += step) {
        const int64_t rows = std::min(step, entry.rows - row);
        values.resize(static_cast<size_t>(rows * entry.cols));
        staging.assign(static_cast<size_t>(rows * row_bytes), 0);
        source.read(entry.weight, row, row + rows, values.data());
        for (int64_t i = 0; i < rows; i++) {
            const float* from = values.data() + i * entry.cols;
            uint8_t* to = staging.data() + i * row_bytes;
            if (entry.type == Type::kFloat) {
                std::memcpy(to, from, static_cast<size_t>(entry.cols) * sizeof(float));
            } else {
                auto* halves = reinterpret_cast<uint16_t*>(to);
                for (int64_t j = 0; j < entry.cols; j++)
                    halves[j] = entry.type == Type::kHalf ? to_half(from[j]) : to_bfloat16(from[j]);
            }
        }
        copy_to_device(memory_.as<uint8_t>() + entry.offset + row * row_bytes, staging.data(), staging.size(),
                       stream);
        wait_for(stream);
    }
}

void DeviceWeights::upload_by_distance(const Entry& entry, WeightSource& source, Stream stream) {
    const Weight& shape = program_.weights[static_cast<size_t>(entry.weight)];
    std::vector<float> table(static_cast<size_t>(shape.rows * shape.cols)), biases;
    source.read(entry.weight, 0, shape.rows, table.data());
    for (int64_t head = 0; head < shape.cols; head++)
        for (int32_t distance = -kFarthest; distance <= kFarthest; distance++) {
            const int64_t bucket = relative_bucket(distance, static_cast<int32_t>(shape.rows));
            biases.push_back(table[static_cast<size_t>(bucket * shape.cols + head)]);
        }
    copy_to_device(memory_.as<uint8_t>() + entry.offset, biases.data(), biases.size() * sizeof(float),
                   stream);
    wait_for(stream);
}

Tensor DeviceWeights::matrix(int32_t weight, Type type) const {
    if (weight == kNoIndex) return {};
    const Entry& entry = find(weight, type);
    return {memory_.as<uint8_t>() + entry.offset, entry.rows, static_cast<int32_t>(entry.cols),
            static_cast<int32_t>(entry.stride), type};
}
Floats DeviceWeights::vector(int32_t weight) const {
    if (weight == kNoIndex) return {};
    const Entry& entry = find(weight, Type::kFloat);
    return {reinterpret_cast<const float*>(memory_.as<uint8_t>() + entry.offset), entry.rows * entry.stride};
}
Floats DeviceWeights::relative_bias(int32_t weight) const { return vector(weight); }

}  // namespace bertha::cuda
