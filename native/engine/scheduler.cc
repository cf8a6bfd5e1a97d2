#include "engine/scheduler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <system_error>
#include <thread>

#include "engine/check.h"
#include "engine/floating_point.h"

namespace bertha {
namespace {

constexpr int64_t kMinBudget = 32;                               // tokens; below it a batch does not pay for its overhead
constexpr auto kSpinBeforeSleep = std::chrono::microseconds(50);  // the next call of a loop that awaits each result comes within this
constexpr int kLateLimit = 3;
constexpr int kSoloForwards = 64;

double seconds(Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

// Yields a bulk batch to interactive jobs, and stops a batch whose jobs are all cancelled.
class BatchControl final : public Control {
public:
    BatchControl(Scheduler& scheduler, const Scheduler::Slices& slices, bool may_yield) : scheduler_(scheduler), slices_(slices), may_yield_(may_yield) {}

    void at_op_boundary() override {
        constexpr int kInteractive = static_cast<int>(Lane::kInteractive);
        while (may_yield_ && scheduler_.pending_[kInteractive].load(std::memory_order_relaxed) > 0) {
            Scheduler::Slices urgent;
            {
                const std::lock_guard<std::mutex> lock(scheduler_.mutex_);
                urgent = scheduler_.take(kInteractive + 1);
            }
            if (urgent.empty()) return;
            scheduler_.run_batch(urgent, true);
        }
    }
    bool cancelled() const override {
        return std::all_of(slices_.begin(), slices_.end(), [](const Scheduler::Slice& slice) { return slice.job->cancelled.load(std::memory_order_relaxed); });
    }

private:
    Scheduler& scheduler_;
    const Scheduler::Slices& slices_;
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
            BERTHA_CHECK(worker_count_.load() > 0, "THREADS", "the system refuses to start a thread: %s", error.what());
            return;
        }
        worker_count_.fetch_add(1, std::memory_order_relaxed);
    }
}

void Scheduler::admit(const JobPtr& job) {
    const int64_t tokens = job->tokens_from(0), queued = queued_tokens_[0] + queued_tokens_[1];
    BERTHA_CHECK(queued == 0 || queued + tokens <= queue_limit(), "QUEUE_FULL",
                 "the queue holds %lld of %lld tokens in %zu jobs; this call's %lld do not fit: retry later", static_cast<long long>(queued),
                 static_cast<long long>(queue_limit()), lanes_[0].size() + lanes_[1].size(), static_cast<long long>(tokens));
    queued_tokens_[static_cast<int>(job->lane)] += tokens;
    job->submitted = job->started = Clock::now();
}

void Scheduler::submit(const JobPtr& job) {
    const int lane = static_cast<int>(job->lane);
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        admit(job);
        if (job->sequences() > 0) {
            lanes_[lane].push_back(job);
            pending_[lane].fetch_add(1, std::memory_order_relaxed);
            events_.fetch_add(1, std::memory_order_release);
        }
    }
    if (job->sequences() == 0) return complete(job);
    wake_.notify_all();
}

void Scheduler::run_now(const JobPtr& job) {
    bool done = false;
    job->on_done = [&, this] {
        const std::lock_guard<std::mutex> lock(mutex_);
        done = true;
        done_.notify_all();
    };
    // Small jobs, and models of one thread, stay with the caller; helpers may still join a forward.
    const bool alone = job->model->max_threads() == 1 || job->tokens_from(0) <= job->model->loaded().preferred_tokens();
    if (!alone || job->sequences() == 0) {
        submit(job);
    } else {
        const std::lock_guard<std::mutex> lock(mutex_);
        admit(job);
    }
    std::unique_lock<std::mutex> lock(mutex_);
    while (!done) {
        const Slices slices = take_from(job);
        if (slices.empty()) {
            done_.wait(lock, [&] { return done; });
            break;
        }
        lock.unlock();
        run_batch(slices, false);
        lock.lock();
    }
}

void Scheduler::cancel(const JobPtr& job) {
    job->cancelled.store(true, std::memory_order_relaxed);
    bool finished = false;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (job->next_sequence == job->sequences()) return;  // nothing left to start: what runs notices by itself
        finished = drop_rest(job, "ABORTED", "the call was aborted");
    }
    if (finished) complete(job);
}

bool Scheduler::remove_from_lane(const JobPtr& job) {
    const int lane = static_cast<int>(job->lane);
    const auto found = std::find(lanes_[lane].begin(), lanes_[lane].end(), job);
    if (found == lanes_[lane].end()) return false;
    lanes_[lane].erase(found);
    pending_[lane].fetch_sub(1, std::memory_order_relaxed);
    return true;
}

// Gives up the sequences that have not started. True when nothing of the job runs, so that the caller has to complete it.
bool Scheduler::drop_rest(const JobPtr& job, const char* code, const char* message) {
    remove_from_lane(job);
    queued_tokens_[static_cast<int>(job->lane)] -= job->tokens_from(job->next_sequence);
    job->next_sequence = job->sequences();
    if (!job->failed) job->error = {code, message};
    job->failed = true;
    return job->running == 0;
}

// Moves sequences of the job into the batch, up to the budget; a sequence longer than the budget gets a batch of its own.
void Scheduler::fill(Slices& slices, const JobPtr& job, int64_t budget) {
    const int lane = static_cast<int>(job->lane);
    int64_t used = 0;
    for (const Slice& slice : slices)
        for (int64_t i = slice.begin; i < slice.end; i++) used += slice.job->seq_len(i);
    const int64_t begin = job->next_sequence;
    int64_t end = begin;
    while (end < job->sequences() && (used == 0 || used + job->seq_len(end) <= budget)) {
        used += job->seq_len(end);
        queued_tokens_[lane] -= job->seq_len(end);
        end++;
    }
    if (end == begin) return;
    if (begin == 0) job->started = Clock::now();
    job->next_sequence = end;
    job->running++;
    slices.push_back({job, begin, end});
}

int64_t Scheduler::budget_for(const Job& job, int lane) const {
    const int64_t most = job.model->loaded().preferred_tokens();
    const int64_t threads = std::max(1, std::min(workers(), job.model->max_threads()));
    return std::clamp((queued_tokens_[lane] + threads - 1) / threads, std::min(kMinBudget, most), most);
}

void Scheduler::drop_expired(int lane) {
    std::deque<JobPtr>& jobs = lanes_[lane];
    const Clock::time_point now = Clock::now();
    for (size_t i = 0; i < jobs.size();) {
        const JobPtr job = jobs[i];
        if (job->deadline > now) {
            i++;
            continue;
        }
        if (!drop_rest(job, "DEADLINE", "the deadline passed while the call waited in the queue")) continue;
        mutex_.unlock();
        complete(job);
        mutex_.lock();
    }
}

// The next batch from lanes 0 .. lane_end, or nothing. Called under the lock.
Scheduler::Slices Scheduler::take(int lane_end) {
    for (int lane = 0; lane < lane_end; lane++) {
        drop_expired(lane);
        std::deque<JobPtr>& jobs = lanes_[lane];
        const auto ready = std::find_if(jobs.begin(), jobs.end(), [](const JobPtr& job) { return job->running < job->model->max_threads(); });
        if (ready == jobs.end()) continue;
        const JobPtr first = *ready;
        const int64_t budget = budget_for(*first, lane);
        Slices slices;
        for (size_t i = 0; i < jobs.size();) {
            const JobPtr job = jobs[i];
            if (job == first || (!slices.empty() && job->fits_with(*first))) fill(slices, job, budget);
            if (job->next_sequence < job->sequences()) {
                i++;
                continue;
            }
            jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(i));
            pending_[lane].fetch_sub(1, std::memory_order_relaxed);
        }
        // Fairness: a job with more to do lines up again behind the others.
        const auto again = std::find(jobs.begin(), jobs.end(), first);
        if (again != jobs.end() && jobs.size() > 1) {
            jobs.erase(again);
            jobs.push_back(first);
        }
        return slices;
    }
    return {};
}

Scheduler::Slices Scheduler::take_from(const JobPtr& job) {
    Slices slices;
    if (job->next_sequence >= job->sequences()) return slices;
    const int lane = static_cast<int>(job->lane);
    fill(slices, job, budget_for(*job, lane));
    if (job->next_sequence == job->sequences()) remove_from_lane(job);
    return slices;
}

// Called under the lock.
std::shared_ptr<SharedTeam> Scheduler::open_team(int size) {
    const auto team = std::make_shared<SharedTeam>(size, ++teams_opened_);
    teams_.push_back(team);
    events_.fetch_add(1, std::memory_order_release);
    wake_.notify_all();
    return team;
}

void Scheduler::close_team(const std::shared_ptr<SharedTeam>& team) {
    team->close();
    const std::lock_guard<std::mutex> lock(mutex_);
    teams_.erase(std::find(teams_.begin(), teams_.end(), team));
    if (team->late() >= kLateLimit) solo_forwards_ = kSoloForwards;
}

namespace {

// The packed arrays of a batch made of slices of jobs.
struct PackedBatch {
    std::vector<int32_t> input_ids, token_type_ids, cu_seqlens{0}, pool_skip, selected, cu_selected{0};

    void append(const Job& job, int64_t sequence) {
        const auto begin = job.cu_seqlens[static_cast<size_t>(sequence)], end = job.cu_seqlens[static_cast<size_t>(sequence) + 1];
        const int32_t first_row = cu_seqlens.back();
        input_ids.insert(input_ids.end(), job.input_ids.begin() + begin, job.input_ids.begin() + end);
        token_type_ids.insert(token_type_ids.end(), job.token_type_ids.begin() + begin, job.token_type_ids.begin() + end);
        cu_seqlens.push_back(first_row + end - begin);
        pool_skip.push_back(job.pool_skip.empty() ? 0 : job.pool_skip[static_cast<size_t>(sequence)]);
        if (!job.cu_selected.empty())
            for (int32_t at = job.cu_selected[static_cast<size_t>(sequence)]; at < job.cu_selected[static_cast<size_t>(sequence) + 1]; at++)
                selected.push_back(first_row + job.selected[static_cast<size_t>(at)]);
        cu_selected.push_back(static_cast<int32_t>(selected.size()));
        max_seq_len = std::max(max_seq_len, end - begin);
    }

    Batch view() const {
        Batch batch;
        batch.input_ids = input_ids.data();
        batch.token_type_ids = token_type_ids.data();
        batch.cu_seqlens = cu_seqlens.data();
        batch.pool_skip = pool_skip.data();
        batch.selected = selected.data();
        batch.cu_selected = cu_selected.data();
        batch.tokens = static_cast<int64_t>(input_ids.size());
        batch.batch_size = static_cast<int64_t>(cu_seqlens.size()) - 1;
        batch.num_selected = static_cast<int64_t>(selected.size());
        batch.max_seq_len = max_seq_len;
        return batch;
    }

    int32_t max_seq_len = 0;
};

void check_finite(const JobOutput& output, int64_t begin, int64_t end) {
    float probe = 0.0f;  // stays 0 for finite values, becomes NaN otherwise
    const float* data = output.data.floats();
    for (int64_t i = begin; i < end; i++) probe += data[i] * 0.0f;
    BERTHA_CHECK(probe == 0.0f, "NON_FINITE", "the model computed a value that is not finite (value %d of its program)", output.value);
}

}  // namespace

void Scheduler::run_batch(const Slices& slices, bool nested) {
    const Clock::time_point start = Clock::now();
    const Job& first = *slices.front().job;
    const Model& model = *first.model;
    JobError failure;
    bool failed = true;
    int64_t tokens = 0, sequences = 0;
    try {
        const FlushDenormals flush;
        PackedBatch packed;
        for (const Slice& slice : slices)
            for (int64_t i = slice.begin; i < slice.end; i++) packed.append(*slice.job, i);
        const Batch batch = packed.view();
        tokens = batch.tokens;
        sequences = batch.batch_size;
        // One job writes straight into its outputs; several share a buffer that is then dealt out.
        std::vector<Output> outputs;
        std::vector<Buffer> shared;
        for (size_t k = 0; k < first.outputs.size(); k++) {
            int64_t floats = 0;
            for (const Slice& slice : slices) {
                const JobOutput& output = slice.job->outputs[k];
                floats += slice.job->output_offset(output, slice.end) - slice.job->output_offset(output, slice.begin);
            }
            const JobOutput& output = first.outputs[k];
            if (slices.size() > 1) shared.emplace_back(static_cast<size_t>(floats) * sizeof(float));
            float* data = slices.size() > 1 ? shared.back().floats() : output.data.floats() + first.output_offset(output, slices.front().begin);
            outputs.push_back({output.value, data});
        }
        std::unique_ptr<Workspace> workspace = model.take_workspace();
        BatchControl control(*this, slices, !nested && first.lane == Lane::kBulk);
        std::shared_ptr<SharedTeam> team;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            stats_.running_batches++;
            const int size = std::min(model.max_threads(), workers());
            if (solo_forwards_ > 0) {
                solo_forwards_--;
            } else if (size > 1 && !work_waits() && first.running == 1 && model.loaded().uses_cpu_pool()) {
                team = open_team(size);
            }
        }
        struct Closer {
            Scheduler& scheduler;
            const std::shared_ptr<SharedTeam>& team;
            ~Closer() {
                if (team) scheduler.close_team(team);
            }
        };
        {
            const Closer closer{*this, team};
            Solo solo;
            model.loaded().run(batch, outputs, *workspace, team ? static_cast<Team&>(*team) : solo, control);
        }
        model.give_back(std::move(workspace));
        for (size_t k = 0; k < first.outputs.size(); k++) {
            int64_t from = 0;
            for (const Slice& slice : slices) {
                const JobOutput& output = slice.job->outputs[k];
                const int64_t begin = slice.job->output_offset(output, slice.begin), end = slice.job->output_offset(output, slice.end);
                if (slices.size() > 1)
                    std::memcpy(output.data.floats() + begin, shared[k].floats() + from, static_cast<size_t>(end - begin) * sizeof(float));
                from += end - begin;
                check_finite(output, begin, end);
            }
        }
        failed = false;
    } catch (const Error& error) {
        failure = {error.code(), error.what()};
    } catch (const std::bad_alloc&) {
        failure = {"OUT_OF_MEMORY", "the system has no memory left for this batch"};
    } catch (const std::exception& error) {
        failure = {"INTERNAL", error.what()};
    }
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stats_.running_batches--;
        stats_.batches++;
        stats_.batched_tokens += tokens;
        stats_.batched_sequences += sequences;
        stats_.compute_seconds += seconds(Clock::now() - start);
    }
    finish(slices, failed ? &failure : nullptr);
}

void Scheduler::finish(const Slices& slices, const JobError* error) {
    for (const Slice& slice : slices) {
        const JobPtr& job = slice.job;
        bool done = false;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            job->running--;
            if (job->cancelled.load(std::memory_order_relaxed) && !job->failed) {
                job->failed = true;
                job->error = {"ABORTED", "the call was aborted"};
            }
            if (error != nullptr && !job->failed) {
                job->failed = true;
                job->error = *error;
            }
            if (job->failed && job->next_sequence < job->sequences()) drop_rest(job, "", "");
            done = job->running == 0 && job->next_sequence == job->sequences();
        }
        if (done) complete(job);
    }
}

void Scheduler::complete(const JobPtr& job) {
    job->finished = Clock::now();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        (job->failed ? stats_.failed_jobs : stats_.completed_jobs)++;
    }
    job->on_done();
}

void Scheduler::run_units(int members, int64_t units, Team::Body body, void* context) {
    std::shared_ptr<SharedTeam> team;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        team = open_team(std::max(1, members));
    }
    // Loading is long: give helpers a moment to arrive, in parts small enough that late ones still find work.
    for (int64_t first = 0; first < units;) {
        struct Shift {
            Team::Body body;
            void* context;
            int64_t first;
        } shift{body, context, first};
        const int64_t count = std::min<int64_t>(units - first, first == 0 ? 1 : std::max<int64_t>(1, (units - first + 3) / 4));
        team->run(count, [&shift](int64_t unit, int member) { shift.body(shift.context, shift.first + unit, member); });
        first += count;
    }
    close_team(team);
}

// Takes batches; with none to take, helps with a forward that runs; then looks around for a moment; then sleeps.
void Scheduler::work() {
    std::unique_lock<std::mutex> lock(mutex_);
    uint64_t last_team = 0;
    for (;;) {
        const Slices slices = take(kLanes);
        if (!slices.empty()) {
            lock.unlock();
            run_batch(slices, false);
            lock.lock();
            continue;
        }
        if (!teams_.empty() && teams_.back()->serial() > last_team) {
            const std::shared_ptr<SharedTeam> team = teams_.back();
            last_team = team->serial();
            lock.unlock();
            team->help([](void* self) { return static_cast<Scheduler*>(self)->work_waits(); }, this);
            lock.lock();
            continue;
        }
        const uint64_t seen = events_.load(std::memory_order_relaxed);
        lock.unlock();
        const Clock::time_point until = Clock::now() + kSpinBeforeSleep;
        while (events_.load(std::memory_order_acquire) == seen && Clock::now() < until) pause();
        lock.lock();
        wake_.wait(lock, [&] { return events_.load(std::memory_order_relaxed) != seen; });
    }
}

SchedulerStats Scheduler::stats() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    SchedulerStats stats = stats_;
    stats.workers = workers();
    for (int lane = 0; lane < kLanes; lane++) {
        stats.queued_jobs[lane] = static_cast<int64_t>(lanes_[lane].size());
        stats.queued_tokens[lane] = queued_tokens_[lane];
    }
    return stats;
}

}  // namespace bertha
