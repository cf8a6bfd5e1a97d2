// Random numbers by counter: the same (seed, epoch, token) gives the same draws on every thread and after a
// stop. splitmix64, of Steele, Lea and Flood 2014.
#pragma once

#include <cstdint>

namespace bertha::cpu {

class CounterRandom {
public:
    CounterRandom(uint64_t seed, uint64_t stream, uint64_t index)
        : state_(mix(mix(seed + 0x9e3779b97f4a7c15u * stream) + index)) {}

    uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15u); }
    // A whole number below `limit`, which fits 32 bits; a bias of limit / 2^32 is of no matter here.
    uint32_t below(uint32_t limit) {
        return static_cast<uint32_t>(((next() >> 32) * static_cast<uint64_t>(limit)) >> 32);
    }
    // [0, 1)
    float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }

private:
    static uint64_t mix(uint64_t x) {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }

    uint64_t state_;
};

}  // namespace bertha::cpu
