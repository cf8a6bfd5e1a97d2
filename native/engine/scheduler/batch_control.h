// What a batch asks the scheduler between two ops.
#pragma once

#include <atomic>

#include "engine/backend.h"
#include "engine/clock.h"
#include "engine/scheduler/packed_batch.h"

namespace bertha {

class Scheduler;

// Lets a bulk batch make way for interactive jobs, rejects what has waited too long, and stops a batch whose
// jobs are all cancelled.
class BatchControl final : public Control {
public:
    BatchControl(Scheduler& scheduler, const Slices& slices, bool may_yield)
        : scheduler_(scheduler), slices_(slices), may_yield_(may_yield) {}

    void at_op_boundary() override;
    bool cancelled() const override;
    bool may_poll() const override;

private:
    Scheduler& scheduler_;
    const Slices& slices_;
    const bool may_yield_;
};

// The same for bulk work that is no batch: a call of a model that learns, on the thread that computes it.
class BodyControl final : public Control {
public:
    BodyControl(Scheduler& scheduler, const std::atomic<bool>& cancelled)
        : scheduler_(scheduler), cancelled_(cancelled) {}
    ~BodyControl() override;

    void at_op_boundary() override;
    bool cancelled() const override { return cancelled_.load(std::memory_order_relaxed); }

private:
    Scheduler& scheduler_;
    const std::atomic<bool>& cancelled_;
    Clock::time_point resumed_ = Clock::now();
};

}  // namespace bertha
