// A 64-bit checksum at memory speed.
#pragma once

#include <cstdint>
#include <cstring>

namespace bertha {

// Eight sums side by side. Every step is a bijection of its sum: no change within 64 bits goes unnoticed.
inline uint64_t checksum(const void* memory, int64_t bytes) {
    constexpr uint64_t kFactor = 0x9e3779b185ebca87u;
    const auto* data = static_cast<const uint8_t*>(memory);
    uint64_t sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const auto step = [&](const uint8_t* block) {
        for (int i = 0; i < 8; i++) {
            uint64_t word;
            std::memcpy(&word, block + 8 * i, sizeof word);
            sums[i] = (sums[i] ^ word) * kFactor;
            sums[i] ^= sums[i] >> 29;
        }
    };
    int64_t done = 0;
    for (; done + 64 <= bytes; done += 64) step(data + done);
    uint8_t last[64] = {};
    std::memcpy(last, data + done, static_cast<size_t>(bytes - done));
    step(last);
    uint64_t total = static_cast<uint64_t>(bytes);
    for (uint64_t sum : sums) total = (total ^ sum) * kFactor;
    return total;
}

}  // namespace bertha
