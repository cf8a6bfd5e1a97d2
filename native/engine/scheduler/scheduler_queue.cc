// Which sequences the next batch takes: lanes in order, flows by round robin, up to a budget of tokens.
#include <algorithm>

#include "engine/scheduler/scheduler.h"

namespace bertha {
namespace {

constexpr int64_t kMinBudget = 32;   // tokens; below it a batch does not pay for its overhead
constexpr int64_t kRowsOfStep = 64;  // weights are read once for as many; more make a text wait longer
// A device computes one forward while a thread prepares the next; more only take its memory.
constexpr int kForwardsOnDevice = 2;
// A batch with room left looks at this many flows that do not fit it, and no further.
constexpr int kMostMisses = 64;
// Jobs that expire under one hold of the lock, so that calls can be made meanwhile.
constexpr size_t kExpireAtOnce = 256;

}  // namespace

// Gives up the sequences that have not started. True when nothing of the job runs, so that the caller has to
// complete it.
bool Scheduler::drop_rest(const JobPtr& job, const char* code, const char* message) {
    lanes_[static_cast<int>(job->lane)].remove(*job);
    queued_tokens_[static_cast<int>(job->lane)] -= job->tokens_from(job->next_sequence);
    job->next_sequence = job->sequences();
    if (!job->failed) job->error = {code, message};
    job->failed = true;
    return job->running == 0;
}

bool Scheduler::deadline_passed() const {
    return earliest_deadline_.load(std::memory_order_relaxed) <= Clock::now().time_since_epoch().count();
}

// Called under the lock, after jobs came or went.
void Scheduler::note_deadlines() {
    Clock::time_point earliest = Clock::time_point::max();
    for (const WaitingJobs& waiting : lanes_) earliest = std::min(earliest, waiting.earliest_deadline());
    earliest_deadline_.store(earliest.time_since_epoch().count(), std::memory_order_relaxed);
}

// Rejects some of the jobs whose deadline has passed. Lets go of the lock meanwhile.
void Scheduler::drop_expired(Lock& lock) {
    const Clock::time_point now = Clock::now();
    std::vector<JobPtr> finished;
    for (WaitingJobs& waiting : lanes_)
        for (const JobPtr& job : waiting.remove_expired(now, kExpireAtOnce))
            if (drop_rest(job, "DEADLINE", "the deadline passed while the call waited in the queue"))
                finished.push_back(job);
    note_deadlines();
    lock.unlock();
    for (const JobPtr& job : finished) complete(job);
    lock.lock();
}

// Moves sequences of the job into the batch while they fit `room` tokens; into an empty batch at least one,
// however long. Returns the tokens moved.
int64_t Scheduler::fill(Slices& slices, const JobPtr& job, int64_t room) {
    const int64_t begin = job->next_sequence;
    int64_t end = begin, used = 0;
    while (end < job->sequences() && (used + job->seq_len(end) <= room || (slices.empty() && end == begin)))
        used += job->seq_len(end++);
    if (end == begin) return 0;
    queued_tokens_[static_cast<int>(job->lane)] -= used;
    if (begin == 0) job->started = Clock::now();
    job->next_sequence = end;
    job->running++;
    slices.push_back({job, begin, end});
    return used;
}

// The same for the jobs of a flow, in order; the flow becomes null when nothing of it is left.
int64_t Scheduler::fill_from(Flow*& flow, Slices& slices, int64_t room) {
    int64_t used = 0;
    while (flow != nullptr) {
        const JobPtr job = flow->jobs.front();
        used += fill(slices, job, room - used);
        if (job->next_sequence < job->sequences()) break;
        if (lanes_[static_cast<int>(job->lane)].remove(*job)) flow = nullptr;
    }
    return used;
}

bool Scheduler::may_start(const Job& job) const {
    const Model& model = *job.model;
    if (job.is_step() && model.stepping[static_cast<int>(job.lane)] > 0) return false;
    return model.running < model.max_threads() && !is_device_full(model) && model.loaded().may_run();
}

bool Scheduler::is_device_full(const Model& model) const {
    const auto found = on_device_.find(&model.loaded());
    return found != on_device_.end() && found->second >= kForwardsOnDevice;
}

// Called under the lock.
void Scheduler::begin_forward(const Job& job) {
    const Model& model = *job.model;
    model.running++;
    if (job.is_step()) model.stepping[static_cast<int>(job.lane)]++;
    if (!model.loaded().uses_cpu_pool()) on_device_[&model.loaded()]++;
}

// Called under the lock.
void Scheduler::end_forward(const Job& job) {
    const Model& model = *job.model;
    // A thread may sleep because the model had all the threads it may have.
    const bool was_full = !may_start(job);
    model.running--;
    if (job.is_step()) model.stepping[static_cast<int>(job.lane)]--;
    if (const auto found = on_device_.find(&model.loaded()); found != on_device_.end()) {
        if (--found->second == 0) on_device_.erase(found);
        done_.notify_all();
    }
    if (was_full && work_waits()) pool_.wake();
}

int64_t Scheduler::budget_for(const Job& job, int lane) const {
    if (job.is_step()) return kRowsOfStep;
    const int64_t most = job.model->loaded().preferred_tokens();
    if (!job.model->loaded().uses_cpu_pool()) return most;
    const int64_t threads = std::max(1, std::min(pool_.workers(), job.model->max_threads()));
    return std::clamp((queued_tokens_[lane] + threads - 1) / threads, std::min(kMinBudget, most), most);
}

// The next batch from the lanes down to priority `least`, or nothing.
Slices Scheduler::take(Priority least, Lock& lock) {
    while (deadline_passed()) drop_expired(lock);
    Slices slices;
    for (int i = 0; i <= static_cast<int>(least) && slices.empty(); i++) {
        WaitingJobs& waiting = lanes_[i];
        Flow* flow = waiting.first([this](const Job& job) { return may_start(job); });
        if (flow == nullptr) continue;
        const JobPtr first = flow->jobs.front();
        uint64_t ticket = flow->ticket;
        int64_t room = budget_for(*first, i);
        begin_forward(*first);
        room -= fill_from(flow, slices, room);
        // Round robin: a job with more to do goes behind the others, and its group with it.
        if (flow != nullptr) waiting.move_to_back(*flow);
        for (int misses = 0; room > 0 && misses < kMostMisses;) {
            flow = waiting.next(*first, ticket);
            if (flow == nullptr) break;
            ticket = flow->ticket;
            const int64_t used = fill_from(flow, slices, room);
            room -= used;
            if (used == 0) misses++;
        }
    }
    if (!slices.empty()) note_deadlines();
    return slices;
}

// The next batch of one job, for a caller that computes it itself. Called under the lock.
Slices Scheduler::take_from(const JobPtr& job) {
    Slices slices;
    if (job->next_sequence >= job->sequences() || is_device_full(*job->model)) return slices;
    begin_forward(*job);
    fill(slices, job, budget_for(*job, static_cast<int>(job->lane)));
    if (job->next_sequence == job->sequences()) lanes_[static_cast<int>(job->lane)].remove(*job);
    return slices;
}

}  // namespace bertha
