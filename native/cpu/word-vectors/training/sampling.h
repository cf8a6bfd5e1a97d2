// What is drawn while word vectors are trained: negatives, and which occurrences of frequent words are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/word-vectors/training/random.h"

namespace bertha::cpu {

// Draws i with probability count[i]^power / Σ, by Walker's alias method as Vose sets it up: eight bytes a
// word.
class AliasSampler {
public:
    AliasSampler(const std::vector<int64_t>& counts, double power);

    int32_t draw(CounterRandom& random) const {
        const uint64_t bits = random.next();
        const auto slot = static_cast<size_t>(((bits >> 32) * slots_.size()) >> 32);
        const Slot& own = slots_[slot];
        // Without a branch: it would be mispredicted every other time.
        const int32_t is_own = -static_cast<int32_t>(static_cast<uint32_t>(bits) < own.threshold);
        return (static_cast<int32_t>(slot) & is_own) | (own.alias & ~is_own);
    }
    // The probability of each number, as the slots give it.
    std::vector<double> probabilities() const;

private:
    struct Slot {
        uint32_t threshold;
        int32_t alias;
    };
    std::vector<Slot> slots_;
};

// word2vec's: (sqrt(f / sample) + 1) · sample / f for a word's share f of all; 1 where sample is 0.
std::vector<double> keep_probabilities(const std::vector<int64_t>& counts, double sample);

}  // namespace bertha::cpu
