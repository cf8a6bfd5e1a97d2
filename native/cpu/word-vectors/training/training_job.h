// What every trainer of word vectors shares: progress for whoever asks, and the wish to stop.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/check.h"

namespace bertha::cpu {

struct TrainingProgress {
    std::atomic<int64_t> done{0};  // words of all epochs, records of GloVe
    std::atomic<int64_t> of{0};
    std::atomic<int32_t> epoch{0};        // from 0
    std::atomic<int64_t> table_bytes{0};  // of word2vec and fastText, before they are allocated
    std::atomic<float> rate{0.0f};
    // Of a sample of the steps since the start.
    std::atomic<double> loss_sum{0.0};
    std::atomic<int64_t> loss_count{0};
    std::atomic<bool> cancelled{false};

    void check_cancelled() const {
        BERTHA_CHECK(!cancelled.load(std::memory_order_relaxed), "ABORTED", "the training was aborted");
    }
    void add_loss(double sum, int64_t count) {
        double before = loss_sum.load(std::memory_order_relaxed);
        while (!loss_sum.compare_exchange_weak(before, before + sum, std::memory_order_relaxed)) {
        }
        loss_count.fetch_add(count, std::memory_order_relaxed);
    }
};

}  // namespace bertha::cpu
