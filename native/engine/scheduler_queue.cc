// Which sequences the next batch takes: lanes in order, jobs in turn, up to a budget of tokens.
#include <algorithm>
#include <functional>

#include "engine/scheduler.h"

namespace bertha {
namespace {

constexpr int64_t kMinBudget = 32;  // tokens; below it a batch does not pay for its overhead

}  // namespace

bool Scheduler::remove_from_lane(const JobPtr& job) {
    const int lane = static_cast<int>(job->lane);
    const auto found = std::find(lanes_[lane].begin(), lanes_[lane].end(), job);
    if (found == lanes_[lane].end()) return false;
    lanes_[lane].erase(found);
    pending_[lane].fetch_sub(1, std::memory_order_relaxed);
    return true;
}

// Gives up the sequences that have not started. True when nothing of the job runs, so that the caller has to
// complete it.
bool Scheduler::drop_rest(const JobPtr& job, const char* code, const char* message) {
    remove_from_lane(job);
    queued_tokens_[static_cast<int>(job->lane)] -= job->tokens_from(job->next_sequence);
    job->next_sequence = job->sequences();
    if (!job->failed) job->error = {code, message};
    job->failed = true;
    return job->running == 0;
}

bool Scheduler::deadline_passed() const {
    return earliest_deadline_.load(std::memory_order_relaxed) <= Clock::now().time_since_epoch().count();
}

// Rejects the jobs whose deadline has passed. Lets go of the lock meanwhile.
void Scheduler::drop_expired(Lock& lock) {
    const Clock::time_point now = Clock::now();
    Clock::time_point earliest = Clock::time_point::max();
    std::vector<JobPtr> expired;
    for (const std::deque<JobPtr>& jobs : lanes_) {
        for (const JobPtr& job : jobs) {
            if (job->deadline <= now)
                expired.push_back(job);
            else
                earliest = std::min(earliest, job->deadline);
        }
    }
    earliest_deadline_.store(earliest.time_since_epoch().count(), std::memory_order_relaxed);
    const auto runs = [this](const JobPtr& job) {
        return !drop_rest(job, "DEADLINE", "the deadline passed while the call waited in the queue");
    };
    expired.erase(std::remove_if(expired.begin(), expired.end(), runs), expired.end());
    lock.unlock();
    for (const JobPtr& job : expired) complete(job);
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

int64_t Scheduler::budget_for(const Job& job, int lane) const {
    const int64_t most = job.model->loaded().preferred_tokens();
    const int64_t threads = std::max(1, std::min(workers(), job.model->max_threads()));
    return std::clamp((queued_tokens_[lane] + threads - 1) / threads, std::min(kMinBudget, most), most);
}

// The next batch from lanes 0 .. lane_end, or nothing.
Slices Scheduler::take(int lane_end, Lock& lock) {
    if (deadline_passed()) drop_expired(lock);
    for (int lane = 0; lane < lane_end; lane++) {
        std::deque<JobPtr>& jobs = lanes_[lane];
        const auto ready = std::find_if(jobs.begin(), jobs.end(), [](const JobPtr& job) {
            return job->model->running < job->model->max_threads();
        });
        if (ready == jobs.end()) continue;
        const JobPtr first = *ready;
        Slices slices;
        int64_t room = budget_for(*first, lane);
        for (size_t i = static_cast<size_t>(ready - jobs.begin());
             i < jobs.size() && (slices.empty() || room > 0);) {
            const JobPtr job = jobs[i];
            if (job == first || job->fits_with(*first)) room -= fill(slices, job, room);
            if (job->next_sequence < job->sequences()) {
                i++;
                continue;
            }
            jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(i));
            pending_[lane].fetch_sub(1, std::memory_order_relaxed);
        }
        // Fairness: a job with more to do lines up again behind the others, and its group with it.
        const auto goes_along = [&first](const JobPtr& job) {
            return job == first || job->is_grouped_with(*first);
        };
        if (!jobs.empty() && goes_along(jobs.front()))
            std::stable_partition(jobs.begin(), jobs.end(), std::not_fn(goes_along));
        first->model->running++;
        return slices;
    }
    return {};
}

// The next batch of one job, for a caller that computes it itself. Called under the lock.
Slices Scheduler::take_from(const JobPtr& job) {
    Slices slices;
    if (job->next_sequence >= job->sequences()) return slices;
    fill(slices, job, budget_for(*job, static_cast<int>(job->lane)));
    if (job->next_sequence == job->sequences()) remove_from_lane(job);
    job->model->running++;
    return slices;
}

}  // namespace bertha
