#include "engine/scheduler/waiting_jobs.h"

#include <algorithm>

namespace bertha {
namespace {

std::pair<const void*, int64_t> group_of(const Job& job) { return {job.group.owner, job.group.number}; }

}  // namespace

Queue& WaitingJobs::queue_for(const Job& job) {
    const auto found = std::find_if(queues_.begin(), queues_.end(), [&job](const Queue& queue) {
        return queue.front().model == job.model && queue.front().fits_with(job);
    });
    return found != queues_.end() ? *found : queues_.emplace_back();
}

Turn& WaitingJobs::turn_for(const Job& job) {
    Queue& queue = queue_for(job);
    const bool is_grouped = job.group.owner != nullptr;
    if (is_grouped)
        if (const auto found = queue.groups.find(group_of(job)); found != queue.groups.end())
            return *found->second;
    const uint64_t ticket = ++last_ticket_;
    Turn& turn = queue.turns.emplace_hint(queue.turns.end(), ticket, Turn{queue, ticket, {}})->second;
    if (is_grouped) queue.groups.emplace(group_of(job), &turn);
    return turn;
}

void WaitingJobs::add(const JobPtr& job) {
    Turn& turn = turn_for(*job);
    turn.jobs.push_back(job);
    job->turn = &turn;
    job->place = std::prev(turn.jobs.end());
    if (job->deadline != Clock::time_point::max()) deadlines_.emplace(job->deadline, job.get());
    size_.fetch_add(1, std::memory_order_relaxed);
}

bool WaitingJobs::remove(Job& job) {
    if (job.turn == nullptr) return false;
    Turn& turn = *job.turn;
    Queue& queue = turn.queue;
    job.turn = nullptr;
    deadlines_.erase({job.deadline, &job});
    size_.fetch_sub(1, std::memory_order_relaxed);
    if (turn.jobs.size() > 1) {
        turn.jobs.erase(job.place);
        return false;
    }
    if (job.group.owner != nullptr) queue.groups.erase(group_of(job));
    // The last reference to the job may be its turn's.
    const JobPtr kept = std::move(turn.jobs.front());
    queue.turns.erase(turn.ticket);
    if (queue.turns.empty()) queues_.remove_if([&queue](const Queue& each) { return &each == &queue; });
    return true;
}

Turn* WaitingJobs::next(const Job& job, uint64_t ticket) {
    Turn* next = nullptr;
    for (Queue& queue : queues_) {
        const auto behind = queue.turns.upper_bound(ticket);
        if (behind != queue.turns.end() && queue.front().fits_with(job))
            next = earlier(next, &behind->second);
    }
    return next;
}

void WaitingJobs::line_up_again(Turn& turn) {
    std::map<uint64_t, Turn>& turns = turn.queue.turns;
    auto node = turns.extract(turn.ticket);
    node.key() = turn.ticket = ++last_ticket_;
    turns.insert(turns.end(), std::move(node));
}

std::vector<JobPtr> WaitingJobs::remove_expired(Clock::time_point now, size_t most) {
    std::vector<JobPtr> expired;
    while (earliest_deadline() <= now && expired.size() < most) {
        Job& job = *deadlines_.begin()->second;
        expired.push_back(*job.place);
        remove(job);
    }
    return expired;
}

}  // namespace bertha
