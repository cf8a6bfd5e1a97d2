// Programs that learn with the same weights, as one JavaScript object owns them and live models share them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "cpu/training/learner.h"
#include "cpu/training/live_model.h"
#include "engine/training/training_stats.h"

namespace bertha::addon {

class Trainer final : public cpu::LiveParameters {
public:
    // Throws what Learner throws.
    Trainer(const std::vector<Program>& programs, cpu::TrainingSpec spec, WeightSource& source, int threads);

    const Program& program(int32_t index = 0) const { return learner_.program(index); }
    int32_t program_count() const { return learner_.program_count(); }
    int threads() const { return threads_; }
    cpu::Accumulated accumulate(const std::vector<const Batch*>& batches,
                                const cpu::AccumulateOptions& options, Control& control);
    // Runs to its end, even when cancelled.
    double update(const cpu::AdamwUpdate& update, Control& control);
    // The norm of the gradients so far, each parameter counted once.
    double gradient_norm(Control& control);
    void zero_gradients(Control& control);
    // Rows of a weight, row-major.
    Buffer read(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end, Control& control);
    void write(int32_t weight, cpu::TensorKind kind, int64_t row_begin, int64_t row_end, const float* rows);

    const cpu::Parameters& parameters() const override { return learner_.parameters(); }
    std::shared_lock<std::shared_mutex> lock_for_reading() const override;
    bool are_changing() const override { return changing_.load(std::memory_order_acquire) > 0; }
    int64_t workspace_bytes() const { return workspace_bytes_.load(std::memory_order_relaxed); }

private:
    class Changing;
    void finish_writing(Team& team) const;

    const int threads_;
    mutable cpu::Learner learner_;
    mutable std::shared_mutex weights_;            // whoever changes them holds it alone
    mutable std::atomic<int> changing_{0};         // who holds it alone, or waits for it
    mutable std::atomic<bool> is_written_{false};  // and what is derived from the values is not made yet
    std::atomic<int64_t> workspace_bytes_{0};
    TrainerCount count_;
};

}  // namespace bertha::addon
