// A loop that nobody waits for: independent units of about a millisecond, which the pool's threads take one
// by one, after everything interactive and by turns with other bulk work.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/check.h"

namespace bertha {

class Task {
public:
    using Body = std::function<void(int64_t unit)>;
    using OnDone = std::function<void(const std::optional<Failure>& failure)>;
    Task(int64_t units, Body body, OnDone on_done)
        : units_(units), body_(std::move(body)), on_done_(std::move(on_done)) {}

    // Under the pool's lock: the next unit to start.
    int64_t next() { return next_++; }
    bool is_started() const { return next_ >= units_; }
    // Runs one unit; the last one to end calls on_done, with the first failure if there was one.
    void run(int64_t unit);

private:
    const int64_t units_;
    Body body_;
    OnDone on_done_;
    int64_t next_ = 0;
    std::atomic<int64_t> ended_{0};
    std::mutex mutex_;
    std::optional<Failure> failure_;
};

using TaskPtr = std::shared_ptr<Task>;

}  // namespace bertha
