// Positions as sines and cosines, where a model stores no table of them (Marian).
#pragma once

#include <cmath>
#include <cstdint>

namespace bertha::cpu {

// table [positions, width]: sin(position * 10000^(-2i / width)) for the first half of the columns, rounded
// up, then the cosines for the rest; computed in double.
inline void write_sinusoids(int64_t positions, int64_t width, float* table) {
    const int64_t sines = (width + 1) / 2;
    for (int64_t position = 0; position < positions; position++, table += width) {
        for (int64_t column = 0; column < width; column++) {
            const int64_t i = column < sines ? column : column - sines;
            const double angle = static_cast<double>(position) /
                                 std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(width));
            table[column] = static_cast<float>(column < sines ? std::sin(angle) : std::cos(angle));
        }
    }
}

}  // namespace bertha::cpu
