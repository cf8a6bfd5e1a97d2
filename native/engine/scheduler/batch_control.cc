#include "engine/scheduler/batch_control.h"

#include <algorithm>
#include <thread>

#include "engine/scheduler/scheduler.h"
#include "engine/training/training_stats.h"

namespace bertha {
namespace {

// While interactive calls come, one in this time, bulk yields its processor to the threads that make them.
constexpr Clock::duration kInteractiveLull = std::chrono::milliseconds(100);
// A yield that takes longer went to another program, not to a thread that picks up a result. After two in a
// row the next one comes kYieldBackoff times as long later.
constexpr Clock::duration kLongYield = std::chrono::microseconds(2500);
constexpr int kYieldBackoff = 8;
thread_local bool was_long = false;
thread_local Clock::time_point next_yield{};

// Linux lets a thread that computes finish its time slice, some 4 ms, before one that was woken.
void yield_processor(Clock::time_point last_interactive) {
    const Clock::time_point now = Clock::now();
    if (now - kInteractiveLull > last_interactive || now < next_yield) return;
    std::this_thread::yield();
    const Clock::time_point back = Clock::now();
    const bool is_long = back - now > kLongYield;
    if (is_long && was_long) next_yield = back + kYieldBackoff * (back - now);
    was_long = is_long;
}

}  // namespace

void BatchControl::at_op_boundary() {
    if (scheduler_.deadline_passed()) {
        Scheduler::Lock lock(scheduler_.mutex_);
        scheduler_.drop_expired(lock);
    }
    if (!may_yield_) return;
    scheduler_.make_way(slices_.front().job->model.get());
}

bool BatchControl::cancelled() const {
    return std::all_of(slices_.begin(), slices_.end(), [](const Slice& slice) {
        return slice.job->cancelled.load(std::memory_order_relaxed);
    });
}

bool BatchControl::may_poll() const {
    return slices_.front().job->lane == Lane::kInteractive && !scheduler_.work_waits() &&
           !scheduler_.pool_.has_interactive_team();
}

BodyControl::~BodyControl() { note_training_slice(Clock::now() - resumed_); }

void BodyControl::at_op_boundary() {
    note_training_slice(Clock::now() - resumed_);
    scheduler_.make_way(nullptr);
    resumed_ = Clock::now();
}

void Scheduler::make_way(const Model* paused) {
    if (deadline_passed()) {
        Lock lock(mutex_);
        drop_expired(lock);
    }
    while (waits(Priority::kInteractive) || pool_.has_interactive_team())
        if (!run_interactive(paused) && !pool_.join_interactive()) break;
    yield_processor(last_interactive());
}

}  // namespace bertha
