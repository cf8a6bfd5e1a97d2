// Tests of the ops on single rows: embed, gather_rows, pool, normalize, compact, top_k, pick_targets.
#pragma once

#include <algorithm>

#include "cuda/check.h"

namespace bertha::test {

inline std::string check_rows(Type type, int32_t width) {
    const std::vector<int32_t> lengths{1, 3, 7, 60, 2};
    std::vector<int32_t> cu{0}, positions, ids, type_ids, skip{0, 1, 9, 30, 0}, selected{0, 5, 72, 5};
    for (int32_t length : lengths) {
        for (int32_t i = 0; i < length; i++) positions.push_back(i);
        cu.push_back(cu.back() + length);
    }
    const int32_t tokens = cu.back();
    for (int32_t i = 0; i < tokens; i++) {
        ids.push_back(i * 7 % 31);
        type_ids.push_back(i % 2);
    }
    const auto word = rounded(type, random_floats(static_cast<size_t>(31) * width, 9));
    const auto position = rounded(type, random_floats(static_cast<size_t>(62) * width, 10));
    const auto kind = rounded(type, random_floats(static_cast<size_t>(2) * width, 11));
    const DeviceTensor w(word, 31, width, type), p(position, 62, width, type), k(kind, 2, width, type), x(tokens, width, type);
    const DeviceInts cu_d(cu), positions_d(positions), ids_d(ids), types_d(type_ids), skip_d(skip), selected_d(selected);
    cuda::DeviceBatch batch;
    batch.input_ids = ids_d.ints();
    batch.token_type_ids = types_d.ints();
    batch.positions = positions_d.ints();
    batch.cu_seqlens = cu_d.ints();
    batch.pool_skip = skip_d.ints();
    batch.selected = selected_d.ints();
    batch.batch_size = static_cast<int32_t>(lengths.size());
    const cuda::EmbedArgs tables{w.tensor(), p.tensor(), k.tensor(), 2};
    cuda::embed(tables, batch, x.tensor(), nullptr);
    const std::vector<float> rows = x.read();
    const auto at = [&](int32_t row, int32_t column) { return rows[static_cast<size_t>(row) * width + column]; };
    std::vector<double> expected;
    for (int32_t row = 0; row < tokens; row++)
        for (int32_t column = 0; column < width; column++)
            expected.push_back(static_cast<double>(word[static_cast<size_t>(ids[static_cast<size_t>(row)] * width + column)]) +
                               kind[static_cast<size_t>(type_ids[static_cast<size_t>(row)] * width + column)] +
                               position[static_cast<size_t>((positions[static_cast<size_t>(row)] + 2) * width + column)]);
    const double u = unit_roundoff(type);
    std::string problem = compare(rows, expected, [&](size_t i) { return std::fabs(expected[i]) * u * 1.01 + 1e-6; });
    if (!problem.empty()) return "embed: " + problem;
    if (width <= cuda::kMaxEmbedNormWidth) {
        const DeviceVector scale(random_floats(static_cast<size_t>(width), 14, 0.3f, 1.0f)), shift(random_floats(static_cast<size_t>(width), 15));
        const DeviceTensor apart(tokens, width, type), fused(tokens, width, type);
        cuda::layer_norm(x.tensor(), scale.floats(), shift.floats(), 1e-12f, apart.tensor(), nullptr);
        cuda::embed_layer_norm(tables, scale.floats(), shift.floats(), 1e-12f, batch, fused.tensor(), nullptr);
        if (fused.read() != apart.read()) return "embed_layer_norm: other bits than layer_norm after embed";
    }

    for (bool first : {false, true}) {
        const auto count = static_cast<int64_t>(first ? lengths.size() : selected.size());
        const DeviceTensor out(count, width, Type::kFloat);
        cuda::gather_rows(x.tensor(), first, batch, out.tensor(), nullptr);
        std::vector<double> want;
        for (int64_t i = 0; i < count; i++)
            for (int32_t column = 0; column < width; column++)
                want.push_back(at(first ? cu[static_cast<size_t>(i)] : selected[static_cast<size_t>(i)], column));
        problem = compare(out.read(), want, [](size_t) { return 1e-30; });
        if (!problem.empty()) return "gather_rows: " + problem;
    }

    const PoolMode modes[] = {PoolMode::kCls, PoolMode::kMean, PoolMode::kMax, PoolMode::kMeanSqrtLen, PoolMode::kWeightedMean, PoolMode::kLastToken};
    const DeviceTensor pooled(static_cast<int64_t>(lengths.size()), 6 * width, Type::kFloat);
    cuda::pool(x.tensor(), modes, 6, false, batch, pooled.tensor(), nullptr);
    std::vector<double> want;
    for (size_t s = 0; s < lengths.size(); s++)
        for (PoolMode mode : modes)
            for (int32_t column = 0; column < width; column++) {
                const int32_t begin = cu[s] + skip[s], end = cu[s + 1];
                double sum = 0.0, weights = 0.0, peak = -INFINITY;
                for (int32_t row = begin; row < end; row++) {
                    const double weight = mode == PoolMode::kWeightedMean ? row - cu[s] + 1 : 1;
                    sum += weight * at(row, column);
                    weights += weight;
                    peak = std::max<double>(peak, at(row, column));
                }
                want.push_back(mode == PoolMode::kCls            ? at(begin < end ? begin : cu[s], column)
                               : begin >= end                    ? 0.0
                               : mode == PoolMode::kMax          ? peak
                               : mode == PoolMode::kLastToken    ? at(end - 1, column)
                               : mode == PoolMode::kMeanSqrtLen ? sum / std::sqrt(weights)
                                                                 : sum / weights);
            }
    problem = compare(pooled.read(), want, [](size_t) { return 2e-5; });
    if (!problem.empty()) return "pool: " + problem;
    const std::vector<float> pooled_rows = pooled.read();
    for (int32_t count : {1, 6}) {
        const DeviceTensor rows_of_modes(static_cast<int64_t>(lengths.size()), count * width, Type::kFloat),
            apart(static_cast<int64_t>(lengths.size()), count * width, Type::kFloat),
            fused(static_cast<int64_t>(lengths.size()), count * width, Type::kFloat);
        cuda::pool(x.tensor(), modes + (6 - count) / 5, count, false, batch, rows_of_modes.tensor(), nullptr);
        cuda::normalize(rows_of_modes.tensor(), apart.tensor(), nullptr);
        cuda::pool(x.tensor(), modes + (6 - count) / 5, count, true, batch, fused.tensor(), nullptr);
        if (fused.read() != apart.read()) return "pool: other bits than normalize after pool";
    }
    // A sequence has the same bits alone.
    for (size_t s = 0; s < lengths.size(); s++) {
        const std::vector<int32_t> own_cu{cu[s], cu[s + 1]}, own_skip{skip[s]};
        const DeviceInts own_cu_d(own_cu), own_skip_d(own_skip);
        cuda::DeviceBatch own;
        own.cu_seqlens = own_cu_d.ints();
        own.pool_skip = own_skip_d.ints();
        own.batch_size = 1;
        const DeviceTensor alone(1, 6 * width, Type::kFloat);
        cuda::pool(x.tensor(), modes, 6, false, own, alone.tensor(), nullptr);
        const std::vector<float> row = alone.read();
        if (!std::equal(row.begin(), row.end(), pooled_rows.begin() + static_cast<std::ptrdiff_t>(s * row.size())))
            return "pool: other bits alone";
    }

    const DeviceTensor unit(tokens, width, Type::kFloat);
    cuda::normalize(x.tensor(), unit.tensor(), nullptr);
    std::vector<double> normal;
    for (int32_t row = 0; row < tokens; row++) {
        double squares = 0.0;
        for (int32_t column = 0; column < width; column++) squares += static_cast<double>(at(row, column)) * at(row, column);
        for (int32_t column = 0; column < width; column++) normal.push_back(at(row, column) / std::max(1e-12, std::sqrt(squares)));
    }
    problem = compare(unit.read(), normal, [](size_t) { return 1e-6; });
    if (!problem.empty()) return "normalize: " + problem;
    const DeviceBlock flat(static_cast<size_t>(tokens) * width * 4);
    cuda::compact(x.tensor(), static_cast<float*>(flat.data()), nullptr);
    std::vector<float> copied(rows.size());
    cuda::copy_to_host(copied.data(), flat.data(), copied.size() * 4, nullptr);
    cuda::wait_for(nullptr);
    return copied == rows ? "" : "compact: other values";
}

inline std::string check_top_k(int32_t width, int32_t k, bool ties) {
    auto x = random_floats(static_cast<size_t>(3) * width, 12, 3.0f);
    if (ties)
        for (float& value : x) value = std::nearbyint(value / 3);
    const DeviceTensor input(x, 3, width, Type::kFloat), output(3, 1 + 2 * k, Type::kFloat);
    cuda::top_k(input.tensor(), k, output.tensor(), nullptr);
    std::vector<double> expected;
    for (int row = 0; row < 3; row++) {
        const float* r = x.data() + static_cast<size_t>(row) * width;
        std::vector<int32_t> order(static_cast<size_t>(width));
        double sum = 0.0;
        for (int32_t i = 0; i < width; i++) {
            order[static_cast<size_t>(i)] = i;
            sum += std::exp(static_cast<double>(r[i]));
        }
        std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return r[a] > r[b]; });
        expected.push_back(std::log(sum));
        for (int32_t i = 0; i < k; i++) expected.push_back(r[order[static_cast<size_t>(i)]]);
        for (int32_t i = 0; i < k; i++) expected.push_back(order[static_cast<size_t>(i)]);
    }
    return compare(output.read(), expected, [&](size_t i) { return i % static_cast<size_t>(1 + 2 * k) == 0 ? 1e-5 : 1e-30; });
}

// Logarithm of a row's sum of exponentials, then the logits of its targets.
inline std::string check_pick_targets(int64_t rows, int32_t width) {
    const auto x = random_floats(static_cast<size_t>(rows) * width, 13, 5.0f);
    std::vector<int32_t> targets;
    for (int64_t i = 0; i < rows * kTargetsPerRow; i++) targets.push_back(static_cast<int32_t>((i * 7 + 3) % width));
    const DeviceTensor input(x, rows, width, Type::kFloat), output(rows, 1 + kTargetsPerRow, Type::kFloat);
    const DeviceInts chosen(targets);
    cuda::DeviceBatch batch;
    batch.targets = chosen.ints();
    cuda::pick_targets(input.tensor(), batch, output.tensor(), nullptr);
    std::vector<double> expected;
    for (int64_t row = 0; row < rows; row++) {
        const float* r = x.data() + row * width;
        double sum = 0.0;
        for (int32_t i = 0; i < width; i++) sum += std::exp(static_cast<double>(r[i]));
        expected.push_back(std::log(sum));
        for (int32_t i = 0; i < kTargetsPerRow; i++) expected.push_back(r[targets[static_cast<size_t>(row * kTargetsPerRow + i)]]);
    }
    return compare(output.read(), expected, [](size_t i) { return i % (1 + kTargetsPerRow) == 0 ? 1e-5 : 1e-30; });
}

}  // namespace bertha::test
