// A program that learns, as one JavaScript object owns it and its live models share it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "cpu/training/learner.h"
#include "cpu/training/live_model.h"

namespace bertha::addon {

// Columns col_begin .. col_begin + cols of rows row_begin .. row_begin + rows of a weight.
struct LearningBlock {
    int64_t row_begin, rows, col_begin, cols;
};

class Trainer final : public cpu::LiveParameters {
public:
    // blocks: by weight, what of it learns; none: all of it. Throws what Learner throws.
    Trainer(const Program& program, cpu::TrainingSpec spec, std::vector<std::vector<LearningBlock>> blocks,
            WeightSource& source, int threads);

    const Program& program() const { return learner_.program(); }
    int threads() const { return threads_; }
    cpu::Accumulated accumulate(const std::vector<const Batch*>& batches,
                                const cpu::AccumulateOptions& options, Control& control);
    double update(const cpu::AdamwUpdate& update);
    void zero_gradients();
    // Rows of a weight, row-major.
    std::vector<float> read(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end);
    void write(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end,
               const std::vector<float>& rows);

    const cpu::Parameters& parameters() const override { return learner_.parameters(); }
    std::shared_lock<std::shared_mutex> lock_for_reading() const override;
    int64_t workspace_bytes() const { return workspace_bytes_.load(std::memory_order_relaxed); }

private:
    void finish_writing() const;
    void mask_gradients();

    const std::vector<std::vector<LearningBlock>> blocks_;
    const int threads_;
    mutable cpu::Learner learner_;
    mutable std::shared_mutex weights_;            // whoever changes them holds it alone
    mutable std::atomic<bool> is_written_{false};  // and what is derived from the values is not made yet
    std::atomic<int64_t> workspace_bytes_{0};
};

}  // namespace bertha::addon
