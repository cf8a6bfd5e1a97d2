// The jobs of one lane that wait, in flows that are served by round robin. Whatever happens to one costs the
// logarithm of their number at most, so that many thousands may wait, and be aborted or expire at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/scheduler/job.h"

namespace bertha {

struct Queue;

// The waiting jobs of one group, in the order in which they are started; a job of no group is a flow of its
// own.
struct Flow {
    Queue& queue;
    uint64_t ticket;  // lower ones are first
    std::list<JobPtr> jobs;
};

// The flows of one model whose jobs want the same values, by ticket.
struct Queue {
    std::map<uint64_t, Flow> flows;
    std::map<std::pair<const void*, int64_t>, Flow*> groups;

    const Job& front() const { return *flows.begin()->second.jobs.front(); }
};

// Used under the scheduler's lock, size() excepted.
class WaitingJobs {
public:
    int size() const { return size_.load(std::memory_order_relaxed); }

    void add(const JobPtr& job);
    // Does nothing to a job that does not wait. True when its flow has no jobs left and is gone.
    bool remove(Job& job);
    // The first flow whose jobs are such that may_start(job) holds, or null.
    template <typename MayStart>
    Flow* first(MayStart&& may_start) {
        Flow* first = nullptr;
        for (Queue& queue : queues_)
            if (may_start(queue.front())) first = earlier(first, &queue.flows.begin()->second);
        return first;
    }
    // The first flow behind a ticket whose jobs may share a batch with `job`, or null.
    Flow* next(const Job& job, uint64_t ticket);
    // The last of the lane from now on.
    void move_to_back(Flow& flow);

    // max() when no job has one.
    Clock::time_point earliest_deadline() const {
        return deadlines_.empty() ? Clock::time_point::max() : deadlines_.begin()->first;
    }
    // Takes out jobs whose deadline has passed, `most` of them.
    std::vector<JobPtr> remove_expired(Clock::time_point now, size_t most);

private:
    static Flow* earlier(Flow* a, Flow* b) { return a == nullptr || b->ticket < a->ticket ? b : a; }
    Queue& queue_for(const Job& job);
    Flow& flow_for(const Job& job);

    std::list<Queue> queues_;  // none is empty
    // In place of a heap of deadlines: jobs leave it from anywhere.
    std::set<std::pair<Clock::time_point, Job*>> deadlines_;
    uint64_t last_ticket_ = 0;
    std::atomic<int> size_{0};
};

}  // namespace bertha
