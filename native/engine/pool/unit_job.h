// Work on the pool that is no forward: independent units of about a millisecond. Threads take them one by
// one, after everything interactive and in turn with bulk batches.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "engine/scheduler/job.h"

namespace bertha {

class UnitJob {
public:
    using Body = std::function<void(int64_t unit)>;
    UnitJob(int64_t units, Body body, std::function<void(const JobError*)> on_done)
        : units_(units), body_(std::move(body)), on_done_(std::move(on_done)) {}

    // Under the scheduler's lock: the next unit to start.
    int64_t next() { return next_++; }
    bool is_started() const { return next_ >= units_; }
    // Runs one unit; the last one to end calls on_done, with the first error or null.
    void run(int64_t unit);

private:
    void fail(const char* code, const char* message);

    const int64_t units_;
    Body body_;
    std::function<void(const JobError*)> on_done_;
    int64_t next_ = 0;
    std::atomic<int64_t> ended_{0};
    std::mutex mutex_;
    bool failed_ = false;
    JobError error_;
};

using UnitJobPtr = std::shared_ptr<UnitJob>;

}  // namespace bertha
