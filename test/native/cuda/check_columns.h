// Tests of the ops that came with other families than BERT: activation, slice, unfold, pool_linear.
#pragma once

#include <algorithm>

#include "cuda/check.h"

namespace bertha::test {

// SiLU of [a, b], with a residual and gated; the last columns; neighbours.
inline std::string check_columns(Type type, int32_t width) {
    const std::vector<int32_t> lengths{1, 4, 7, 2};
    std::vector<int32_t> places, cu{0};
    for (int32_t length : lengths) {
        for (int32_t i = 0; i < length; i++) places.push_back(i);
        cu.push_back(cu.back() + length);
    }
    const int64_t tokens = cu.back();
    const auto x = rounded(type, random_floats(static_cast<size_t>(tokens * 2 * width), 21));
    const DeviceTensor input(x, tokens, 2 * width, type);
    const auto at = [&](int64_t row, int32_t column) -> double { return x[static_cast<size_t>(row * 2 * width + column)]; };
    const auto silu = [](double y) { return y / (1.0 + std::exp(-y)); };
    const double u = 1.01 * unit_roundoff(type);
    const auto near = [&](const DeviceTensor& actual, const std::vector<double>& expected) {
        return compare(actual.read(), expected, [&](size_t i) { return std::fabs(expected[i]) * (u + 1e-6) + 1e-6 * (1 + (type != Type::kFloat)); });
    };
    for (bool gated : {false, true}) {
        const int32_t columns = gated ? width : 2 * width;
        const DeviceTensor output(tokens, columns, type);
        cuda::activate(input.tensor(), Activation::kSilu, gated, gated ? cuda::Tensor{} : input.tensor(), output.tensor(), nullptr);
        std::vector<double> expected;
        for (int64_t row = 0; row < tokens; row++)
            for (int32_t column = 0; column < columns; column++)
                expected.push_back(gated ? silu(at(row, column)) * at(row, width + column) : silu(at(row, column)) + at(row, column));
        const std::string problem = near(output, expected);
        if (!problem.empty()) return "activate: " + problem;
    }
    const DeviceTensor part(tokens, width, type);
    cuda::slice(input.tensor(), width - 1, part.tensor(), nullptr);
    std::vector<double> expected;
    for (int64_t row = 0; row < tokens; row++)
        for (int32_t column = 0; column < width; column++) expected.push_back(at(row, width - 1 + column));
    std::string problem = compare(part.read(), expected, [](size_t) { return 1e-30; });
    if (!problem.empty()) return "slice: " + problem;
    const DeviceInts places_device(places);
    cuda::DeviceBatch batch;
    batch.rows = places_device.ints();
    for (int32_t size : {1, 3, 5}) {
        const DeviceTensor neighbours(tokens, 2 * width * size, type);
        cuda::unfold(input.tensor(), size, batch, neighbours.tensor(), nullptr);
        expected.clear();
        for (size_t sequence = 0; sequence < lengths.size(); sequence++)
            for (int32_t row = cu[sequence]; row < cu[sequence + 1]; row++)
                for (int32_t column = 0; column < 2 * width; column++)
                    for (int32_t from = row - size / 2; from <= row + size / 2; from++)
                        expected.push_back(from >= cu[sequence] && from < cu[sequence + 1] ? at(from, column) : 0.0);
        problem = compare(neighbours.read(), expected, [](size_t) { return 1e-30; });
        if (!problem.empty()) return "unfold by " + std::to_string(size) + ": " + problem;
    }
    return "";
}

inline std::string check_pool_linear(Type type, int32_t n, int32_t k, bool sums, int32_t logs) {
    const std::vector<int32_t> lengths{1, 9, 30};
    std::vector<int32_t> cu{0};
    for (int32_t length : lengths) cu.push_back(cu.back() + length);
    const int64_t tokens = cu.back();
    const auto x = rounded(type, random_floats(static_cast<size_t>(tokens * k), 31));
    const auto weight = rounded(type, random_floats(static_cast<size_t>(n) * k, 32, 1.0f / std::sqrt(k)));
    const auto bias = random_floats(static_cast<size_t>(n), 33);
    const DeviceTensor input(x, tokens, k, type), matrix(weight, n, k, type), products(tokens, std::min(n, cuda::kPoolLinearColumns), Type::kFloat),
        output(static_cast<int64_t>(lengths.size()), n, Type::kFloat);
    const DeviceVector b(bias);
    const DeviceInts cu_device(cu);
    cuda::DeviceBatch batch;
    batch.cu_seqlens = cu_device.ints();
    batch.batch_size = static_cast<int32_t>(lengths.size());
    cuda::pool_linear({input.tensor(), matrix.tensor(), b.floats(), products.tensor(), output.tensor(), sums, logs}, batch, nullptr);
    std::vector<double> expected;
    for (size_t sequence = 0; sequence < lengths.size(); sequence++)
        for (int32_t column = 0; column < n; column++) {
            double pooled = 0.0;
            for (int32_t row = cu[sequence]; row < cu[sequence + 1]; row++) {
                double sum = bias[static_cast<size_t>(column)];
                for (int32_t i = 0; i < k; i++) sum += static_cast<double>(x[static_cast<size_t>(row) * k + i]) * weight[static_cast<size_t>(column) * k + i];
                double value = std::log1p(std::max(sum, 0.0));
                if (logs == 2) value = std::log1p(value);
                pooled = sums ? pooled + value : std::max(pooled, value);
            }
            expected.push_back(pooled);
        }
    return compare(output.read(), expected, [&](size_t i) { return 1e-5 * (1 + expected[i]); });
}

}  // namespace bertha::test
