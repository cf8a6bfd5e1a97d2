#include "cpu/word-vectors/training/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bertha::cpu {
namespace {

constexpr double kWhole = 4294967296.0;

}  // namespace

AliasSampler::AliasSampler(const std::vector<int64_t>& counts, double power) : slots_(counts.size()) {
    std::vector<double> share(counts.size());
    double sum = 0.0;
    for (size_t i = 0; i < counts.size(); i++)
        sum += share[i] = counts[i] > 0 ? std::pow(static_cast<double>(counts[i]), power) : 0.0;
    std::vector<int32_t> small, large;
    for (size_t i = 0; i < counts.size(); i++) {
        share[i] *= static_cast<double>(counts.size()) / sum;
        (share[i] < 1.0 ? small : large).push_back(static_cast<int32_t>(i));
    }
    const auto set = [this](int32_t slot, double threshold, int32_t alias) {
        slots_[static_cast<size_t>(slot)] = {
            static_cast<uint32_t>(std::min(kWhole - 1.0, std::floor(threshold * kWhole))), alias};
    };
    while (!small.empty() && !large.empty()) {
        const int32_t less = small.back(), more = large.back();
        small.pop_back();
        set(less, share[static_cast<size_t>(less)], more);
        double& rest = share[static_cast<size_t>(more)];
        rest -= 1.0 - share[static_cast<size_t>(less)];
        if (rest < 1.0) {
            large.pop_back();
            small.push_back(more);
        }
    }
    for (const std::vector<int32_t>* rest : {&small, &large})
        for (const int32_t slot : *rest) set(slot, 1.0, slot);
}

std::vector<double> AliasSampler::probabilities() const {
    std::vector<double> result(slots_.size());
    for (size_t i = 0; i < slots_.size(); i++) {
        const double own = slots_[i].threshold / kWhole, slot = 1.0 / static_cast<double>(slots_.size());
        result[i] += own * slot;
        result[static_cast<size_t>(slots_[i].alias)] += (1.0 - own) * slot;
    }
    return result;
}

std::vector<double> keep_probabilities(const std::vector<int64_t>& counts, double sample) {
    std::vector<double> keep(counts.size(), 1.0);
    if (sample <= 0.0) return keep;
    const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
    for (size_t i = 0; i < counts.size(); i++) {
        const double share = static_cast<double>(counts[i]) / all;
        keep[i] = std::min(1.0, (std::sqrt(share / sample) + 1.0) * sample / share);
    }
    return keep;
}

}  // namespace bertha::cpu
