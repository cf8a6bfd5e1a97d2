#include "engine/program/program.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace bertha {

bool have_equal_weights(const Program& a, const Program& b) {
    return std::equal(a.weights.begin(), a.weights.end(), b.weights.begin(), b.weights.end(),
                      [](const Weight& one, const Weight& other) {
                          return one.kind == other.kind && one.rows == other.rows && one.cols == other.cols;
                      });
}

std::vector<bool> needed_ops(const Program& program, const std::vector<int32_t>& wanted) {
    std::vector<bool> value_needed(program.values.size(), false);
    for (int32_t id : wanted) value_needed[static_cast<size_t>(id)] = true;
    std::vector<bool> needed(program.ops.size(), false);
    for (size_t i = program.ops.size(); i-- > 0;) {
        for_each_written(program.ops[i], [&](int32_t value) {
            needed[i] = needed[i] || value_needed[static_cast<size_t>(value)];
        });
        if (!needed[i]) continue;
        for_each_read(program.ops[i],
                      [&](int32_t value) { value_needed[static_cast<size_t>(value)] = true; });
    }
    return needed;
}

std::vector<int32_t> last_ops(const Program& program) {
    std::vector<int32_t> last(program.values.size(), -1);
    for (size_t i = 0; i < program.ops.size(); i++) {
        const auto use = [&](int32_t value) { last[static_cast<size_t>(value)] = static_cast<int32_t>(i); };
        use(output_of(program.ops[i]));
        for_each_read(program.ops[i], use);
    }
    return last;
}

int32_t relative_bucket(int32_t distance, int32_t num_buckets) {
    constexpr double kMaxDistance = 128.0;
    const int32_t half = num_buckets / 2;
    const int32_t side = distance > 0 ? half : 0;
    const int32_t n = std::abs(distance);
    const int32_t exact = half / 2;
    if (n < exact) return side + n;
    const double scaled = std::log(static_cast<double>(n) / exact) / std::log(kMaxDistance / exact) *
                          (half - exact);
    return side + std::min(half - 1, exact + static_cast<int32_t>(scaled));
}

}  // namespace bertha
