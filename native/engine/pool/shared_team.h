// Threads that help with one forward while it runs. Each has a share of an operation's units, a run of
// neighbours, so that the weights it prefetches are those that it reads next; who is done takes from the ends
// of others' shares. The leader starts at once; a helper that wakes up late finds less to do, or nothing. The
// leader waits only for units that a helper has claimed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>

#include "engine/backend.h"

namespace bertha {

class SharedTeam final : public Team {
public:
    using Team::run;
    // Open to threads with nothing to do; when urgent, to those on bulk.
    SharedTeam(int size, uint64_t serial, bool for_idle, bool urgent)
        : size_(size),
          serial_(serial),
          for_idle_(for_idle),
          urgent_(urgent),
          shares_(new Share[static_cast<size_t>(size)]) {}

    int size() const override { return size_; }
    uint64_t serial() const { return serial_; }
    bool for_idle() const { return for_idle_; }
    bool urgent() const { return urgent_; }
    // Throws what a unit threw on any of the threads, once none of them uses `context` any more.
    void run(int64_t units, Body body, void* context) override;

    // For a helper: works until the leader closes the team or should_leave() says so. False when the team is
    // full or closed.
    bool help(bool (*should_leave)(void*), void* leave_context);
    // For the leader: no more units will come. Helpers that still spin hold the team by their shared_ptr;
    // nobody waits for them.
    void close() { closed_.store(true, std::memory_order_release); }

    // For the leader. True once a helper took much longer over a unit than the leader over its own: somebody
    // else uses the helper's processor. The team is closed then, and the leader does the rest alone.
    bool late() const { return late_; }
    using Clock = std::chrono::steady_clock;
    // For the leader: its own time for as many units as helpers have done, and the time it waited for a late
    // one.
    Clock::duration helped() const { return helped_; }
    Clock::duration waited() const { return waited_; }

private:
    static constexpr int kUnitBits = 20;
    static constexpr uint64_t kUnitMask = (uint64_t{1} << kUnitBits) - 1;
    // generation (24 bits) | end (20) | next unit (20): one word, so that a claim can never mix two
    // generations. Its member takes the next one, others the last.
    struct alignas(64) Share {
        std::atomic<uint64_t> units{0};
        bool claim(bool first, int64_t& unit);
    };
    bool claim(int member, int64_t& unit);
    void call(Body body, void* context, int64_t unit, int member) noexcept;
    void run_part(int64_t first, int64_t units, Body body, void* context);
    void wait_for_helpers(int64_t theirs, int64_t mine, Clock::time_point start);

    const int size_;
    const uint64_t serial_;
    const bool for_idle_, urgent_;
    const std::unique_ptr<Share[]> shares_;  // by member
    uint64_t generation_ = 0;
    alignas(64) std::atomic<int64_t> done_{0};
    alignas(64) std::atomic<int> joined_{0};  // member numbers given out
    std::atomic<int> present_{0};             // helpers inside help()
    std::atomic<bool> closed_{false};
    Body body_ = nullptr;
    void* context_ = nullptr;
    int64_t first_ = 0;
    bool late_ = false;
    Clock::duration helped_{}, waited_{};
    std::atomic<bool> failed_{false};
    std::exception_ptr error_;  // the first; the leader throws it on
};

}  // namespace bertha
