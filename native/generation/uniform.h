// The random numbers of sampling: a function of the seed, of which text they are for and of the step, and of
// nothing else, by Philox-4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011).
#pragma once

#include <cstdint>

namespace bertha::generation {

// In [0, 1), with 53 bits. `sequence`: which of the texts that one input gives; `draw`: which number of a
// step.
inline double uniform(uint64_t seed, uint32_t sequence, uint32_t step, uint32_t draw = 0) {
    uint32_t c0 = step, c1 = sequence, c2 = draw, c3 = 0x67656e31u;
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t a = uint64_t{0xd2511f53u} * c0, b = uint64_t{0xcd9e8d57u} * c2;
        c0 = static_cast<uint32_t>(b >> 32) ^ c1 ^ k0;
        c2 = static_cast<uint32_t>(a >> 32) ^ c3 ^ k1;
        c1 = static_cast<uint32_t>(b);
        c3 = static_cast<uint32_t>(a);
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return static_cast<double>((uint64_t{c0} << 32 | c1) >> 11) * 0x1p-53;
}

}  // namespace bertha::generation
