// By how much rows turn at each position (RoPE).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace bertha {

// turns [positions, 2, pairs]: the cosines of a position's angles, then their sines. An angle is rounded to
// float32, as every implementation of these models does; its cosine and sine are those of the rounded angle.
inline void write_turns(const std::vector<float>& inverse_frequencies, int64_t positions, float* turns) {
    const size_t pairs = inverse_frequencies.size();
    for (int64_t position = 0; position < positions; position++, turns += 2 * pairs) {
        for (size_t i = 0; i < pairs; i++) {
            const float angle = inverse_frequencies[i] * static_cast<float>(position);
            turns[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
            turns[pairs + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
        }
    }
}

}  // namespace bertha
