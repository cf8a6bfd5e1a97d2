#include "engine/scheduler/scheduler.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/floating_point.h"
#include "engine/scheduler/batch_control.h"

namespace bertha {
namespace {

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

size_t bucket_of(int64_t tokens) {
    size_t bucket = 0;
    while (bucket + 1 < kBatchBuckets && tokens >= int64_t{2} << bucket) bucket++;
    return bucket;
}

}  // namespace

Scheduler& Scheduler::instance() {
    static Scheduler* scheduler = new Scheduler();
    return *scheduler;
}

Scheduler::Scheduler() : pool_(Pool::instance()) { pool_.attach(*this); }

void Scheduler::admit(const JobPtr& job) {
    const int64_t tokens = job->tokens_from(0), queued = queued_tokens_[0] + queued_tokens_[1];
    const auto ll = [](int64_t n) { return static_cast<long long>(n); };
    BERTHA_CHECK(
        job->is_step() || queued == 0 || queued + tokens <= queue_limit(), "QUEUE_FULL",
        "the queue holds %lld of %lld tokens in %lld calls; this call's %lld do not fit: retry later",
        ll(queued), ll(queue_limit()), ll(lanes_[0].size() + lanes_[1].size()), ll(tokens));
    queued_tokens_[static_cast<int>(job->lane)] += tokens;
    job->submitted = job->started = Clock::now();
    note_interactive(*job, job->submitted);
}

void Scheduler::submit(const JobPtr& job) {
    const int lane = static_cast<int>(job->lane);
    {
        const Lock lock(mutex_);
        admit(job);
        if (job->sequences() > 0) {
            lanes_[lane].add(job);
            note_deadlines();
        }
    }
    if (job->sequences() == 0)
        complete(job);
    else
        pool_.wake();
}

void Scheduler::run_now(const JobPtr& job) {
    bool done = false;
    job->on_done = [&, this] {
        const Lock lock(mutex_);
        done = true;
        done_.notify_all();
    };
    // Small jobs, and models of one thread, stay with the caller; other threads may still join its teams.
    const bool alone = job->model->max_threads() == 1 ||
                       job->tokens_from(0) <= job->model->loaded().preferred_tokens();
    if (!alone || job->sequences() == 0) {
        submit(job);
    } else {
        const Lock lock(mutex_);
        admit(job);
    }
    Lock lock(mutex_);
    while (!done) {
        const Slices slices = take_from(job);
        if (slices.empty()) {
            done_.wait(lock, [&] {
                return done || (job->next_sequence < job->sequences() && !is_device_full(*job->model));
            });
            continue;
        }
        lock.unlock();
        run_batch(slices, false);
        lock.lock();
    }
}

void Scheduler::cancel(const JobPtr& job) {
    job->cancelled.store(true, std::memory_order_relaxed);
    Lock lock(mutex_);
    if (job->next_sequence == job->sequences()) return;  // nothing left to start: what runs notices by itself
    const bool finished = drop_rest(job, "ABORTED", "the call was aborted");
    note_deadlines();
    lock.unlock();
    if (finished) complete(job);
}

// The threads of one forward: free ones when nothing else waits; for an interactive one, those on bulk as
// well.
Pool::OpenTeam Scheduler::team_for(const Job& job) {
    const Model& model = *job.model;
    Priority priority = Priority::kBulk;
    int members = model.loaded().uses_cpu_pool() ? model.max_threads() : 1;
    {
        const Lock lock(mutex_);
        if (job.lane == Lane::kInteractive && !waits(Priority::kInteractive))
            priority = Priority::kInteractive;
        else if (model.running > 1 || work_waits())
            members = 1;
    }
    return pool_.open_team(members, priority);
}

std::optional<Failure> Scheduler::compute(const Slices& slices, bool nested) {
    const Clock::time_point start = Clock::now();
    const Job& first = *slices.front().job;
    const Model& model = *first.model;
    int64_t tokens = 0, sequences = 0;
    {
        const Lock lock(mutex_);
        stats_.running_batches++;
    }
    const std::optional<Failure> failure = failure_of(
        [&] {
            const FlushDenormals flush;
            const PackedBatch packed(slices);
            const Batch& batch = packed.view();
            tokens = batch.tokens();
            sequences = batch.batch_size;
            std::unique_ptr<Workspace> workspace = model.take_workspace();
            BatchControl control(*this, slices, !nested && first.lane == Lane::kBulk);
            try {
                Pool::OpenTeam team = team_for(first);
                model.loaded().run(batch, packed.outputs(), *workspace, team.get(), control);
            } catch (const Error& error) {
                if (error.code() == "ABORTED") model.give_back(std::move(workspace));
                throw;
            }
            model.give_back(std::move(workspace));
            packed.deal_out();
        },
        "the system has no memory left for this batch");
    const Lock lock(mutex_);
    stats_.running_batches--;
    stats_.batches++;
    stats_.shared_batches += slices.size() > 1 ? 1 : 0;
    stats_.batched_tokens += tokens;
    stats_.batched_sequences += sequences;
    stats_.batch_sizes[bucket_of(tokens)]++;
    stats_.compute_seconds += seconds(Clock::now() - start);
    return failure;
}

bool Scheduler::run_one(Priority priority) {
    Lock lock(mutex_);
    const Slices slices = take(priority, lock);
    lock.unlock();
    if (!slices.empty()) run_batch(slices, false);
    return !slices.empty();
}

// On the thread of bulk work, which stands still meanwhile: a batch does not count against its model's
// threads. (A device goes on.) False when nothing interactive may start.
bool Scheduler::run_interactive(const Model* paused) {
    Lock lock(mutex_);
    if (paused != nullptr) paused->running--;
    const Slices slices = take(Priority::kInteractive, lock);
    if (!slices.empty()) {
        lock.unlock();
        run_batch(slices, true);
        lock.lock();
    }
    if (paused != nullptr) paused->running++;
    return !slices.empty();
}

void Scheduler::run_batch(const Slices& slices, bool nested) {
    const std::optional<Failure> failure = compute(slices, nested);
    if (failure && slices.size() > 1 && failure->code != "ABORTED") {
        // One of the jobs may be to blame: each runs again by itself, so that only that one fails.
        for (const Slice& slice : slices) {
            const Slices alone{slice};
            finish(alone, compute(alone, nested));
        }
    } else {
        finish(slices, failure);
    }
    const Lock lock(mutex_);
    end_forward(*slices.front().job);
}

void Scheduler::finish(const Slices& slices, const std::optional<Failure>& failure) {
    for (const Slice& slice : slices) {
        const JobPtr& job = slice.job;
        bool done = false;
        {
            const Lock lock(mutex_);
            job->running--;
            if (job->cancelled.load(std::memory_order_relaxed) && !job->failed) {
                job->failed = true;
                job->error = {"ABORTED", "the call was aborted"};
            }
            if (failure && !job->failed) {
                job->failed = true;
                job->error = *failure;
            }
            if (job->failed && job->next_sequence < job->sequences()) {
                drop_rest(job, "", "");
                note_deadlines();
            }
            done = job->running == 0 && job->next_sequence == job->sequences();
        }
        if (done) complete(job);
    }
}

void Scheduler::complete(const JobPtr& job) {
    job->finished = Clock::now();
    note_interactive(*job, job->finished);
    {
        const Lock lock(mutex_);
        if (job->is_step()) {
            stats_.steps++;
        } else {
            (job->failed ? stats_.failed_jobs : stats_.completed_jobs)++;
            stats_.queue_seconds += seconds(job->started - job->submitted);
        }
    }
    job->on_done();
}

SchedulerStats Scheduler::stats() const {
    const Lock lock(mutex_);
    SchedulerStats stats = stats_;
    stats.workers = pool_.workers();
    stats.stragglers = pool_.stragglers();
    for (int lane = 0; lane < kLanes; lane++) {
        stats.queued_jobs[lane] = lanes_[lane].size();
        stats.queued_tokens[lane] = queued_tokens_[lane];
    }
    return stats;
}

}  // namespace bertha
