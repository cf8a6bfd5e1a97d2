// The process's one compute pool. Jobs wait in two lanes, interactive before bulk; an idle worker takes whole
// sequences from the front jobs up to a token budget, packs them into one batch, and runs it. A worker on a
// bulk batch looks for interactive work at every op boundary and runs it in a second workspace, or helps with
// what runs. When nothing else waits, idle workers help, too.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/scheduler/job.h"
#include "engine/scheduler/packed_batch.h"
#include "engine/pool/shared_team.h"
#include "engine/pool/unit_job.h"
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
    int64_t batches = 0;
    int64_t shared_batches = 0;  // of several jobs
    int64_t batched_sequences = 0;
    int64_t batched_tokens = 0;
    std::array<int64_t, kBatchBuckets> batch_sizes{};
    double queue_seconds = 0.0;    // summed over jobs
    double compute_seconds = 0.0;  // summed over workers
    int64_t late_helpers = 0;      // forwards whose helper lost its processor
};

class Scheduler {
public:
    // The one instance; never destroyed, so that exit cannot race with its threads.
    static Scheduler& instance();

    // Grows the pool to at least this many workers (fewer when the system refuses; at least one, else throws
    // THREADS).
    void ensure_workers(int count);
    int workers() const { return worker_count_.load(std::memory_order_relaxed); }

    // Queues a job. Throws QUEUE_FULL with counts when its tokens do not fit the queue.
    void submit(const JobPtr& job);
    // Queues units; at least one worker must be there.
    void submit(const UnitJobPtr& job);
    // Runs a job with the calling thread taking part; returns when it is done. Errors are in job->error.
    void run_now(const JobPtr& job);
    // Drops what has not started; what runs stops at the next op. The job ends with ABORTED.
    void cancel(const JobPtr& job);

    // Runs body(unit, member) on up to `members` threads, the caller included. For loading weights.
    void run_units(int members, int64_t units, Team::Body body, void* context);

    void set_queue_limit(int64_t tokens) { queue_limit_tokens_.store(tokens, std::memory_order_relaxed); }
    int64_t queue_limit() const { return queue_limit_tokens_.load(std::memory_order_relaxed); }
    SchedulerStats stats() const;

private:
    friend class BatchControl;
    using Lock = std::unique_lock<std::mutex>;
    // A team, open until the end of the scope. When judged, what its helpers saved and cost decides about
    // those of later forwards.
    struct Helpers {
        Scheduler& scheduler;
        const std::shared_ptr<SharedTeam> team;
        const bool judged;
        ~Helpers();
    };

    void work();
    Slices take(int lane_end, Lock& lock);
    Slices take_from(const JobPtr& job);
    int64_t fill(Slices& slices, const JobPtr& job, int64_t room);
    int64_t fill_from(Turn*& turn, Slices& slices, int64_t room);
    bool may_start(const Model& model) const;
    bool is_device_full(const Model& model) const;
    void begin_forward(const Model& model);
    void end_forward(const Model& model);
    int64_t budget_for(const Job& job, int lane) const;
    void run_batch(const Slices& slices, bool nested);
    std::optional<JobError> compute(const Slices& slices, bool nested);
    void finish(const Slices& slices, const std::optional<JobError>& error);
    void complete(const JobPtr& job);
    void admit(const JobPtr& job);
    bool drop_rest(const JobPtr& job, const char* code, const char* message);
    bool deadline_passed() const;
    void note_deadlines();
    void drop_expired(Lock& lock);
    std::shared_ptr<SharedTeam> open_team(int size, bool for_idle, bool urgent);
    std::shared_ptr<SharedTeam> team_for(const Job& job);
    bool help_urgent(Lock& lock);
    bool run_unit(Lock& lock);
    void announce();
    void note_interactive(const Job& job, Clock::time_point now) {
        if (job.lane == Lane::kInteractive)
            last_interactive_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    bool work_waits() const { return lanes_[0].size() + lanes_[1].size() > 0; }

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    WaitingJobs lanes_[kLanes];                              // jobs with sequences left to start
    std::unordered_map<const LoadedModel*, int> on_device_;  // forwards that a device computes now
    std::vector<std::shared_ptr<SharedTeam>> teams_;
    std::deque<UnitJobPtr> unit_jobs_;  // with units left to start
    bool is_turn_of_units_ = false;
    std::atomic<uint64_t> events_{0};  // rises whenever a sleeping worker may find something to do
    std::atomic<Clock::rep> earliest_deadline_{Clock::time_point::max().time_since_epoch().count()};
    std::atomic<int> urgent_teams_{0};  // open ones of interactive forwards
    std::atomic<Clock::rep> last_interactive_{Clock::time_point::min().time_since_epoch().count()};
    uint64_t teams_opened_ = 0;
    std::atomic<int> worker_count_{0};
    std::atomic<int64_t> queue_limit_tokens_{int64_t{1} << 22};
    int64_t queued_tokens_[kLanes] = {0, 0};
    // While somebody else uses a helper's processor, forwards run without helpers: until this time.
    Clock::time_point solo_until_{};
    Clock::duration helpers_credit_{};  // time that helpers have saved and that waiting for late ones may
                                        // cost
    SchedulerStats stats_;
};

}  // namespace bertha
