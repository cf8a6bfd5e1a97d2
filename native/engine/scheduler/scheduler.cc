#include "engine/scheduler/scheduler.h"

#include <algorithm>
#include <system_error>
#include <thread>

#include "engine/check.h"
#include "engine/floating_point.h"

namespace bertha {
namespace {

constexpr auto kSpinBeforeSleep = std::chrono::microseconds(50);
// The next call of a loop that awaits each result comes within this; waking up costs as much as it computes
// in.
constexpr auto kYieldBeforeSleep = std::chrono::microseconds(300);
// Forwards without helpers take this many times as long as was lost by waiting for late ones: 11 % at worst.
// The same for offers of the processor.
constexpr int kSoloFactor = 8;
// Helpers that have saved time may cost as much, up to a time slice of the system's scheduler.
constexpr Clock::duration kMaxCredit = std::chrono::milliseconds(4);
// While interactive calls come, one in this time, bulk offers its processor to the threads that make them.
constexpr Clock::duration kInteractiveLull = std::chrono::milliseconds(100);
// An offer that takes longer went to another program, not to a thread that picks up a result. After two in a
// row the next one comes kSoloFactor times as long later.
constexpr Clock::duration kLongOffer = std::chrono::microseconds(2500);
thread_local bool was_long = false;
thread_local Clock::time_point next_offer{};

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

size_t bucket_of(int64_t tokens) {
    size_t bucket = 0;
    while (bucket + 1 < kBatchBuckets && tokens >= int64_t{2} << bucket) bucket++;
    return bucket;
}

}  // namespace

// Lets a bulk batch make way for interactive jobs, rejects what has waited too long, and stops a batch whose
// jobs are all cancelled.
class BatchControl final : public Control {
public:
    BatchControl(Scheduler& scheduler, const Slices& slices, bool may_yield)
        : scheduler_(scheduler), slices_(slices), may_yield_(may_yield) {}

    void at_op_boundary() override {
        if (scheduler_.deadline_passed()) {
            Scheduler::Lock lock(scheduler_.mutex_);
            scheduler_.drop_expired(lock);
        }
        constexpr int kInteractive = static_cast<int>(Lane::kInteractive);
        const Model& paused = *slices_.front().job->model;
        while (may_yield_ && (scheduler_.lanes_[kInteractive].size() > 0 ||
                              scheduler_.urgent_teams_.load(std::memory_order_relaxed) > 0)) {
            Scheduler::Lock lock(scheduler_.mutex_);
            // This batch stands still: it does not count against the model's threads. (A device goes on.)
            paused.running--;
            const Slices urgent = scheduler_.take(kInteractive + 1, lock);
            if (!urgent.empty()) {
                lock.unlock();
                scheduler_.run_batch(urgent, true);
                lock.lock();
            }
            paused.running++;
            if (urgent.empty() && !scheduler_.help_urgent(lock)) break;
        }
        if (may_yield_) offer_processor();
    }
    bool cancelled() const override {
        return std::all_of(slices_.begin(), slices_.end(), [](const Slice& slice) {
            return slice.job->cancelled.load(std::memory_order_relaxed);
        });
    }
    bool may_poll() const override {
        return slices_.front().job->lane == Lane::kInteractive && !scheduler_.work_waits() &&
               scheduler_.urgent_teams_.load(std::memory_order_relaxed) == 0;
    }

private:
    // Linux lets a thread that computes finish its time slice, some 4 ms, before one that was woken.
    void offer_processor() {
        const Clock::time_point now = Clock::now();
        const Clock::time_point last{
            Clock::duration(scheduler_.last_interactive_.load(std::memory_order_relaxed))};
        if (now - kInteractiveLull > last || now < next_offer) return;
        std::this_thread::yield();
        const Clock::time_point back = Clock::now();
        const bool is_long = back - now > kLongOffer;
        if (is_long && was_long) next_offer = back + kSoloFactor * (back - now);
        was_long = is_long;
    }

    Scheduler& scheduler_;
    const Slices& slices_;
    const bool may_yield_;
};

Scheduler& Scheduler::instance() {
    static Scheduler* scheduler = new Scheduler();
    return *scheduler;
}

void Scheduler::ensure_workers(int count) {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (worker_count_.load(std::memory_order_relaxed) < count) {
        try {
            std::thread([this] { work(); }).detach();
        } catch (const std::system_error& error) {
            BERTHA_CHECK(worker_count_.load() > 0, "THREADS", "the system refuses to start a thread: %s",
                         error.what());
            return;
        }
        worker_count_.fetch_add(1, std::memory_order_relaxed);
    }
}

// Called under the lock: sleeping workers look around.
void Scheduler::announce() {
    events_.fetch_add(1, std::memory_order_release);
    wake_.notify_all();
}

void Scheduler::admit(const JobPtr& job) {
    const int64_t tokens = job->tokens_from(0), queued = queued_tokens_[0] + queued_tokens_[1];
    const auto ll = [](int64_t n) { return static_cast<long long>(n); };
    BERTHA_CHECK(
        queued == 0 || queued + tokens <= queue_limit(), "QUEUE_FULL",
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
            announce();
        }
    }
    if (job->sequences() == 0) complete(job);
}

void Scheduler::run_now(const JobPtr& job) {
    bool done = false;
    job->on_done = [&, this] {
        const Lock lock(mutex_);
        done = true;
        done_.notify_all();
    };
    // Small jobs, and models of one thread, stay with the caller; helpers may still join a forward.
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

// Called under the lock.
std::shared_ptr<SharedTeam> Scheduler::open_team(int size, bool for_idle, bool urgent) {
    const auto team = std::make_shared<SharedTeam>(size, ++teams_opened_, for_idle, urgent);
    teams_.push_back(team);
    if (urgent) urgent_teams_.fetch_add(1, std::memory_order_relaxed);
    announce();
    return team;
}

// Helpers for one forward: idle threads when nothing else waits; for an interactive one, threads on bulk as
// well. Else nullptr.
std::shared_ptr<SharedTeam> Scheduler::team_for(const Job& job) {
    const Lock lock(mutex_);
    const Model& model = *job.model;
    const int size = std::min(model.max_threads(), workers());
    const bool urgent = job.lane == Lane::kInteractive &&
                        lanes_[static_cast<int>(Lane::kInteractive)].size() == 0;
    const bool for_idle = model.running <= 1 && !work_waits();
    if (size < 2 || !(urgent || for_idle) || !model.loaded().uses_cpu_pool() || Clock::now() < solo_until_)
        return nullptr;
    return open_team(size, for_idle, urgent);
}

// For a thread on bulk: works for an interactive forward. False when there is none to join. Lets go of the
// lock meanwhile.
bool Scheduler::help_urgent(Lock& lock) {
    const auto found = std::find_if(teams_.begin(), teams_.end(),
                                    [](const auto& team) { return team->urgent(); });
    if (found == teams_.end()) return false;
    const std::shared_ptr<SharedTeam> team = *found;
    lock.unlock();
    const bool joined = team->help(
        [](void* self) {
            constexpr int kInteractive = static_cast<int>(Lane::kInteractive);
            return static_cast<Scheduler*>(self)->lanes_[kInteractive].size() > 0;
        },
        this);
    lock.lock();
    return joined;
}

Scheduler::Helpers::~Helpers() {
    if (!team) return;
    team->close();
    const Lock lock(scheduler.mutex_);
    scheduler.teams_.erase(std::find(scheduler.teams_.begin(), scheduler.teams_.end(), team));
    if (team->urgent()) scheduler.urgent_teams_.fetch_sub(1, std::memory_order_relaxed);
    if (!judged) return;
    if (team->late()) scheduler.stats_.late_helpers++;
    // Half: a thread alone takes less time for a unit than one of several.
    Clock::duration& credit = scheduler.helpers_credit_;
    credit = std::min(credit + team->helped() / 2 - team->waited(), kMaxCredit);
    if (credit >= Clock::duration::zero()) return;
    scheduler.solo_until_ = Clock::now() - kSoloFactor * credit;
    credit = Clock::duration::zero();
}

std::optional<JobError> Scheduler::compute(const Slices& slices, bool nested) {
    const Clock::time_point start = Clock::now();
    const Job& first = *slices.front().job;
    const Model& model = *first.model;
    std::optional<JobError> failure;
    int64_t tokens = 0, sequences = 0;
    {
        const Lock lock(mutex_);
        stats_.running_batches++;
    }
    try {
        const FlushDenormals flush;
        const PackedBatch packed(slices);
        const Batch batch = packed.view();
        tokens = batch.tokens;
        sequences = batch.batch_size;
        std::unique_ptr<Workspace> workspace = model.take_workspace();
        BatchControl control(*this, slices, !nested && first.lane == Lane::kBulk);
        try {
            const Helpers helpers{*this, team_for(first), true};
            Solo solo;
            model.loaded().run(batch, packed.outputs(), *workspace,
                               helpers.team ? static_cast<Team&>(*helpers.team) : solo, control);
        } catch (const Error& error) {
            if (error.code() == "ABORTED") model.give_back(std::move(workspace));
            throw;
        }
        model.give_back(std::move(workspace));
        packed.deal_out();
    } catch (const Error& error) {
        failure = {error.code(), error.what()};
    } catch (const std::bad_alloc&) {
        failure = {"OUT_OF_MEMORY", "the system has no memory left for this batch"};
    } catch (const std::exception& error) {
        failure = {"INTERNAL", error.what()};
    }
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

void Scheduler::run_batch(const Slices& slices, bool nested) {
    const std::shared_ptr<const Model> model = slices.front().job->model;
    const std::optional<JobError> failure = compute(slices, nested);
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
    end_forward(*model);
}

void Scheduler::finish(const Slices& slices, const std::optional<JobError>& error) {
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
            if (error && !job->failed) {
                job->failed = true;
                job->error = *error;
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
        (job->failed ? stats_.failed_jobs : stats_.completed_jobs)++;
        stats_.queue_seconds += seconds(job->started - job->submitted);
    }
    job->on_done();
}

void Scheduler::run_units(int members, int64_t units, Team::Body body, void* context) {
    Lock lock(mutex_);
    const Helpers helpers{*this, open_team(std::max(1, members), true, false), false};
    lock.unlock();
    // Loading is long: give helpers a moment to arrive, in parts small enough that late ones still find work.
    for (int64_t first = 0; first < units;) {
        struct Shift {
            Team::Body body;
            void* context;
            int64_t first;
        } shift{body, context, first};
        const int64_t count = std::min<int64_t>(
            units - first, first == 0 ? 1 : std::max<int64_t>(1, (units - first + 3) / 4));
        helpers.team->run(count, [&shift](int64_t unit, int member) {
            shift.body(shift.context, shift.first + unit, member);
        });
        first += count;
    }
}

// Takes batches; with none to take, helps with a forward that runs; then looks around for a moment; then
// sleeps.
void Scheduler::work() {
    Lock lock(mutex_);
    uint64_t last_team = 0;
    for (;;) {
        Slices slices = take(unit_jobs_.empty() ? kLanes : 1, lock);
        if (slices.empty() && !unit_jobs_.empty()) {
            if (help_urgent(lock) || run_unit(lock)) continue;
            slices = take(kLanes, lock);
        }
        if (!slices.empty()) {
            lock.unlock();
            run_batch(slices, false);
            lock.lock();
            continue;
        }
        if (!unit_jobs_.empty()) continue;
        if (!teams_.empty() && teams_.back()->for_idle() && teams_.back()->serial() > last_team) {
            const std::shared_ptr<SharedTeam> team = teams_.back();
            last_team = team->serial();
            lock.unlock();
            team->help([](void* self) { return static_cast<Scheduler*>(self)->work_waits(); }, this);
            lock.lock();
            continue;
        }
        const uint64_t seen = events_.load(std::memory_order_relaxed);
        lock.unlock();
        const Clock::time_point begin = Clock::now();
        while (events_.load(std::memory_order_acquire) == seen) {
            const Clock::duration idle = Clock::now() - begin;
            if (idle >= kYieldBeforeSleep) break;
            idle < kSpinBeforeSleep ? pause() : std::this_thread::yield();
        }
        lock.lock();
        wake_.wait(lock, [&] { return events_.load(std::memory_order_relaxed) != seen; });
    }
}

SchedulerStats Scheduler::stats() const {
    const Lock lock(mutex_);
    SchedulerStats stats = stats_;
    stats.workers = workers();
    for (int lane = 0; lane < kLanes; lane++) {
        stats.queued_jobs[lane] = lanes_[lane].size();
        stats.queued_tokens[lane] = queued_tokens_[lane];
    }
    return stats;
}

}  // namespace bertha
