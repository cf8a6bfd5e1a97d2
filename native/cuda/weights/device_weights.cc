#include "cuda/weights/device_weights.h"

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
    : program_(program), index_(program.weights.size()) {
    for (auto& orders : index_)
        for (auto& types : orders) types.fill(kNoIndex);
    const auto type_of = [&](int32_t value) { return plan.values[static_cast<size_t>(value)].type; };
    for (const Op& op : program.ops) {
        if (const auto* embed = std::get_if<ops::Embed>(&op)) {
            for_each_weight(op, [&](int32_t table) { add(table, type_of(embed->output)); });
        } else if (const auto* linear = std::get_if<ops::Linear>(&op)) {
            const Order order = linear->gated ? Order::kGated : Order::kStored;
            add(linear->matrix, type_of(linear->input), order);
            add(linear->bias, Type::kFloat, order);
        } else if (const auto* pooled = std::get_if<ops::PoolLinear>(&op)) {
            add(pooled->matrix, type_of(pooled->input));
            add(pooled->bias, Type::kFloat);
        } else if (const auto* attention = std::get_if<ops::Attention>(&op)) {
            add(attention->relative_bias, Type::kFloat, Order::kByDistance);
        } else {
            for_each_weight(op, [&](int32_t vector) { add(vector, Type::kFloat); });
        }
    }
    memory_.reserve(static_cast<size_t>(std::max(total_, kAlignment)));
    const OwnedStream stream;
    for (const Entry& entry : entries_)
        entry.order == Order::kByDistance ? upload_by_distance(entry, source, stream.get())
                                          : upload(entry, source, stream.get());
}

void DeviceWeights::add(int32_t weight, Type type, Order order) {
    if (weight == kNoIndex) return;
    int32_t& index = index_[static_cast<size_t>(weight)][static_cast<size_t>(order)]
                           [static_cast<size_t>(type)];
    if (index != kNoIndex) return;
    const Weight& shape = program_.weights[static_cast<size_t>(weight)];
    const bool vector = shape.kind == WeightKind::kVector, by_distance = order == Order::kByDistance;
    Entry entry{weight, type, order, vector ? 1 : shape.rows, shape.cols, 0, total_};
    if (by_distance) {
        entry.rows = shape.cols;
        entry.cols = 2 * kFarthest + 1;
    } else if (order == Order::kGated) {
        int64_t& columns = vector ? entry.cols : entry.rows;  // of the product
        columns = (columns / 2 + kGateColumns - 1) / kGateColumns * 2 * kGateColumns;
    }
    entry.stride = by_distance ? entry.cols : (entry.cols + 7) / 8 * 8;
    total_ += (entry.rows * entry.stride * bytes_of(type) + kAlignment - 1) / kAlignment * kAlignment;
    index = static_cast<int32_t>(entries_.size());
    entries_.push_back(entry);
}

const DeviceWeights::Entry& DeviceWeights::find(int32_t weight, Type type, Order order) const {
    const int32_t index = index_[static_cast<size_t>(weight)][static_cast<size_t>(order)]
                                [static_cast<size_t>(type)];
    BERTHA_CHECK(index != kNoIndex, "INTERNAL", "weight %d was not uploaded", weight);
    return entries_[static_cast<size_t>(index)];
}

// Rows of an entry in its own order, in fp32 [rows, cols].
std::vector<float> DeviceWeights::read(const Entry& entry, WeightSource& source, int64_t row,
                                       int64_t rows) const {
    if (entry.order == Order::kGated) return read_gated(entry, source, row, rows);
    std::vector<float> values(static_cast<size_t>(rows * entry.cols));
    source.read(entry.weight, row, row + rows, values.data());
    return values;
}

// Of a gated product: kGateColumns rows of the gate, as many of what it multiplies, and so on, zeros beyond
// the last; a vector's numbers likewise.
std::vector<float> DeviceWeights::read_gated(const Entry& entry, WeightSource& source, int64_t row,
                                             int64_t rows) const {
    const Weight& shape = program_.weights[static_cast<size_t>(entry.weight)];
    const bool vector = shape.kind == WeightKind::kVector;
    const int64_t width = vector ? 1 : shape.cols, half = (vector ? shape.cols : shape.rows) / 2;
    const int64_t first = vector ? 0 : row / 2, count = vector ? entry.cols : rows;
    const int64_t stored = std::max<int64_t>(0, std::min(half - first, count / 2));
    std::vector<float> values(static_cast<size_t>(count * width), 0.0f), halves[2];
    for (int64_t i = 0; i < 2; i++) {
        halves[i].resize(static_cast<size_t>((vector ? 2 * half : stored) * width));
        if (vector)
            source.read(entry.weight, 0, 1, halves[i].data());
        else if (stored > 0)
            source.read(entry.weight, i * half + first, i * half + first + stored, halves[i].data());
        const float* from = halves[i].data() + (vector ? i * half : 0);
        for (int64_t j = 0; j < stored; j++) {
            const int64_t to = j / kGateColumns * 2 * kGateColumns + i * kGateColumns + j % kGateColumns;
            std::copy(from + j * width, from + (j + 1) * width, values.begin() + to * width);
        }
    }
    return values;
}

void DeviceWeights::upload(const Entry& entry, WeightSource& source, Stream stream) {
    const int64_t row_bytes = entry.stride * bytes_of(entry.type);
    const int64_t step = std::max<int64_t>(8, kStagingBytes / row_bytes / 8 * 8);
    std::vector<uint8_t> staging;
    for (int64_t row = 0; row < entry.rows; row += step) {
        const int64_t rows = std::min(step, entry.rows - row);
        staging.assign(static_cast<size_t>(rows * row_bytes), 0);
        const std::vector<float> values = read(entry, source, row, rows);
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

Tensor DeviceWeights::matrix(int32_t weight, Type type, bool gated) const {
    if (weight == kNoIndex) return {};
    const Entry& entry = find(weight, type, gated ? Order::kGated : Order::kStored);
    return {memory_.as<uint8_t>() + entry.offset, entry.rows, static_cast<int32_t>(entry.cols),
            static_cast<int32_t>(entry.stride), type};
}
Floats DeviceWeights::vector(int32_t weight, bool gated) const {
    if (weight == kNoIndex) return {};
    return floats(find(weight, Type::kFloat, gated ? Order::kGated : Order::kStored));
}
Floats DeviceWeights::relative_bias(int32_t weight) const {
    if (weight == kNoIndex) return {};
    return floats(find(weight, Type::kFloat, Order::kByDistance));
}
Floats DeviceWeights::floats(const Entry& entry) const {
    return {reinterpret_cast<const float*>(memory_.as<uint8_t>() + entry.offset), entry.rows * entry.stride};
}

}  // namespace bertha::cuda
