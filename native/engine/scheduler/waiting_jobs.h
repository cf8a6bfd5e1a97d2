// The jobs of one lane that wait. Turns are in the order of their tickets; whatever happens to one costs the
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

// The waiting jobs of one group, in the order in which they are started; a job of no group has a turn of its
// own.
struct Turn {
    Queue& queue;
    uint64_t ticket;  // lower ones are first
    std::list<JobPtr> jobs;
};

// The turns of one model whose jobs want the same values, by ticket.
struct Queue {
    std::map<uint64_t, Turn> turns;
    std::map<std::pair<const void*, int64_t>, Turn*> groups;

    const Job& front() const { return *turns.begin()->second.jobs.front(); }
};

// Used under the scheduler's lock, size() excepted.
class WaitingJobs {
public:
    int size() const { return size_.load(std::memory_order_relaxed); }

    void add(const JobPtr& job);
    // Does nothing to a job that does not wait. True when its turn has no jobs left and is gone.
    bool remove(Job& job);
    // The first turn of a model for which may_start(model) holds, or null.
    template <typename MayStart>
    Turn* first(MayStart&& may_start) {
        Turn* first = nullptr;
        for (Queue& queue : queues_)
            if (may_start(*queue.front().model)) first = earlier(first, &queue.turns.begin()->second);
        return first;
    }
    // The first turn behind a ticket whose jobs may share a batch with `job`, or null.
    Turn* next(const Job& job, uint64_t ticket);
    void line_up_again(Turn& turn);

    // max() when no job has one.
    Clock::time_point earliest_deadline() const {
        return deadlines_.empty() ? Clock::time_point::max() : deadlines_.begin()->first;
    }
    // Takes out jobs whose deadline has passed, `most` of them.
    std::vector<JobPtr> remove_expired(Clock::time_point now, size_t most);

private:
    static Turn* earlier(Turn* a, Turn* b) { return a == nullptr || b->ticket < a->ticket ? b : a; }
    Queue& queue_for(const Job& job);
    Turn& turn_for(const Job& job);

    std::list<Queue> queues_;  // none is empty
    std::set<std::pair<Clock::time_point, Job*>> deadlines_;
    uint64_t last_ticket_ = 0;
    std::atomic<int> size_{0};
};

}  // namespace bertha
