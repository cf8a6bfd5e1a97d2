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

Flow& WaitingJobs::flow_for(const Job& job) {
    Queue& queue = queue_for(job);
    const bool is_grouped = job.group.owner != nullptr;
    if (is_grouped)
        if (const auto found = queue.groups.find(group_of(job)); found != queue.groups.end())
            return *found->second;
    const uint64_t ticket = ++last_ticket_;
    Flow& flow = queue.flows.emplace_hint(queue.flows.end(), ticket, Flow{queue, ticket, {}})->second;
    if (is_grouped) queue.groups.emplace(group_of(job), &flow);
    return flow;
}

void WaitingJobs::add(const JobPtr& job) {
    Flow& flow = flow_for(*job);
    flow.jobs.push_back(job);
    job->flow = &flow;
    job->place = std::prev(flow.jobs.end());
    if (job->deadline != Clock::time_point::max()) deadlines_.emplace(job->deadline, job.get());
    size_.fetch_add(1, std::memory_order_relaxed);
}

bool WaitingJobs::remove(Job& job) {
    if (job.flow == nullptr) return false;
    Flow& flow = *job.flow;
    Queue& queue = flow.queue;
    job.flow = nullptr;
    deadlines_.erase({job.deadline, &job});
    size_.fetch_sub(1, std::memory_order_relaxed);
    if (flow.jobs.size() > 1) {
        flow.jobs.erase(job.place);
        return false;
    }
    if (job.group.owner != nullptr) queue.groups.erase(group_of(job));
    // The last reference to the job may be its flow's.
    const JobPtr kept = std::move(flow.jobs.front());
    queue.flows.erase(flow.ticket);
    if (queue.flows.empty()) queues_.remove_if([&queue](const Queue& each) { return &each == &queue; });
    return true;
}

Flow* WaitingJobs::next(const Job& job, uint64_t ticket) {
    Flow* next = nullptr;
    for (Queue& queue : queues_) {
        const auto behind = queue.flows.upper_bound(ticket);
        if (behind != queue.flows.end() && queue.front().fits_with(job))
            next = earlier(next, &behind->second);
    }
    return next;
}

void WaitingJobs::move_to_back(Flow& flow) {
    std::map<uint64_t, Flow>& flows = flow.queue.flows;
    auto node = flows.extract(flow.ticket);
    node.key() = flow.ticket = ++last_ticket_;
    flows.insert(flows.end(), std::move(node));
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
