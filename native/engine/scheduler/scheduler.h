// Calls' jobs on the pool. They wait in two lanes, interactive before bulk; a free thread takes whole
// sequences from the front jobs up to a token budget, packs them into one batch, and computes it. A thread
// with a bulk batch looks for interactive work at every op boundary and does it in a second workspace, or
// joins the team of an interactive batch.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "engine/pool/pool.h"
#include "engine/scheduler/job.h"
#include "engine/scheduler/packed_batch.h"
#include "engine/scheduler/waiting_jobs.h"

namespace bertha {

// Batches by size: bucket i counts those of 2^i to 2^(i+1) - 1 tokens, the last one all larger ones.
constexpr int kBatchBuckets = 14;

struct SchedulerStats {
    int workers = 0;
    int64_t queued_jobs[kLanes] = {0, 0};
    int64_t queued_tokens[kLanes] = {0, 0};
    int64_t running_batches = 0;
    int64_t completed_jobs = 0;
    int64_t failed_jobs = 0;
    int64_t steps = 0;  // of texts, which are no calls
    int64_t batches = 0;
    int64_t shared_batches = 0;  // of several jobs
    int64_t batched_sequences = 0;
    int64_t batched_tokens = 0;
    std::array<int64_t, kBatchBuckets> batch_sizes{};
    double queue_seconds = 0.0;    // summed over jobs
    double compute_seconds = 0.0;  // summed over workers
    int64_t stragglers = 0;        // batches whose team had one
};

class Scheduler final : public WorkSource {
public:
    // The one instance; never destroyed, so that exit cannot race with the pool's threads.
    static Scheduler& instance();

    // Queues a job; the pool must have a worker. Throws QUEUE_FULL with counts when its tokens do not fit the
    // queue.
    void submit(const JobPtr& job);
    // Runs a job with the calling thread taking part; returns when it is done. Errors are in job->error.
    void run_now(const JobPtr& job);
    // Drops what has not started; what runs stops at the next op. The job ends with ABORTED.
    void cancel(const JobPtr& job);

    void set_queue_limit(int64_t tokens) { queue_limit_tokens_.store(tokens, std::memory_order_relaxed); }
    int64_t queue_limit() const { return queue_limit_tokens_.load(std::memory_order_relaxed); }
    SchedulerStats stats() const;

    bool waits(Priority priority) const override { return lanes_[static_cast<int>(priority)].size() > 0; }
    bool run_one(Priority priority) override;

private:
    friend class BatchControl;
    friend class BodyControl;
    using Lock = std::unique_lock<std::mutex>;

    Scheduler();

    Slices take(Priority least, Lock& lock);
    Slices take_from(const JobPtr& job);
    int64_t fill(Slices& slices, const JobPtr& job, int64_t room);
    int64_t fill_from(Flow*& flow, Slices& slices, int64_t room);
    bool may_start(const Job& job) const;
    bool is_device_full(const Model& model) const;
    void begin_forward(const Job& job);
    void end_forward(const Job& job);
    int64_t budget_for(const Job& job, int lane) const;

    bool run_interactive(const Model* paused);
    void make_way(const Model* paused);
    void run_batch(const Slices& slices, bool nested);
    std::optional<Failure> compute(const Slices& slices, bool nested);
    Pool::OpenTeam team_for(const Job& job);
    void finish(const Slices& slices, const std::optional<Failure>& failure);
    void complete(const JobPtr& job);
    void admit(const JobPtr& job);

    bool drop_rest(const JobPtr& job, const char* code, const char* message);
    bool deadline_passed() const;
    void note_deadlines();
    void drop_expired(Lock& lock);

    void note_interactive(const Job& job, Clock::time_point now) {
        if (job.lane == Lane::kInteractive)
            last_interactive_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    Clock::time_point last_interactive() const {
        return Clock::time_point(Clock::duration(last_interactive_.load(std::memory_order_relaxed)));
    }
    bool work_waits() const { return waits(Priority::kInteractive) || waits(Priority::kBulk); }

    Pool& pool_;
    mutable std::mutex mutex_;
    std::condition_variable done_;
    WaitingJobs lanes_[kLanes];                              // jobs with sequences left to start
    std::unordered_map<const LoadedModel*, int> on_device_;  // forwards that a device computes now
    std::atomic<Clock::rep> earliest_deadline_{Clock::time_point::max().time_since_epoch().count()};
    std::atomic<Clock::rep> last_interactive_{Clock::time_point::min().time_since_epoch().count()};
    std::atomic<int64_t> queue_limit_tokens_{int64_t{1} << 22};
    int64_t queued_tokens_[kLanes] = {0, 0};
    SchedulerStats stats_;
};

}  // namespace bertha
