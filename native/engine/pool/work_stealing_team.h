// A team that workers join while it works. Each member has a share of a loop's units, a run of neighbours, so
// that the weights it prefetches are those that it reads next; who is done steals from the ends of others'
// shares. The caller starts at once: a worker that wakes up later finds less to do, or nothing, and the
// caller waits only for units that were claimed.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

#include "engine/clock.h"
#include "engine/pool/priority.h"
#include "engine/pool/team.h"

namespace bertha {

class WorkStealingTeam final : public Team {
public:
    using Team::run;
    // Teams are told apart by their serial numbers, which rise.
    WorkStealingTeam(int size, uint64_t serial, Priority priority)
        : size_(size), serial_(serial), priority_(priority), shares_(new Share[static_cast<size_t>(size)]) {}

    int size() const override { return size_; }
    uint64_t serial() const { return serial_; }
    Priority priority() const { return priority_; }
    void run(int64_t units, Body body, void* context) override;

    // For a worker: a member until the team is closed, or should_leave() says so while there is no unit to
    // claim. Calls make_way() between any two units. False when the team was full or closed already.
    bool join(const std::function<bool()>& should_leave, const std::function<void()>& make_way);
    // For the caller: no more loops will come. Members that still spin hold the team by their shared_ptr;
    // nobody waits for them.
    void close() { closed_.store(true, std::memory_order_release); }

    // For the caller. True once a member took much longer over a unit than the caller over its own. The team
    // is closed then, and the caller does the rest alone.
    bool has_straggler() const { return has_straggler_; }
    // For the caller: its own time for as many units as the others have done, and the time it waited for a
    // straggler.
    Clock::duration stolen() const { return stolen_; }
    Clock::duration waited() const { return waited_; }

private:
    static constexpr int kUnitBits = 20;
    static constexpr uint64_t kUnitMask = (uint64_t{1} << kUnitBits) - 1;
    // generation (24 bits) | end (20) | next unit (20): one word, so that a claim can never mix two
    // generations. Its owner takes the next one, thieves the last.
    struct alignas(64) Share {
        std::atomic<uint64_t> units{0};
        bool claim(bool first, int64_t& unit);
    };
    bool claim(int member, int64_t& unit);
    void call(Body body, void* context, int64_t unit, int member) noexcept;
    void run_part(int64_t first, int64_t units, Body body, void* context);
    void wait_for_members(int64_t theirs, int64_t mine, Clock::time_point start);

    const int size_;
    const uint64_t serial_;
    const Priority priority_;
    const std::unique_ptr<Share[]> shares_;  // by member
    uint64_t generation_ = 0;
    alignas(64) std::atomic<int64_t> done_{0};
    alignas(64) std::atomic<int> joined_{0};  // member numbers given out
    std::atomic<int> present_{0};             // workers inside join()
    std::atomic<bool> closed_{false};
    Body body_ = nullptr;
    void* context_ = nullptr;
    int64_t first_ = 0;
    bool has_straggler_ = false;
    Clock::duration stolen_{}, waited_{};
    std::atomic<bool> failed_{false};
    std::exception_ptr error_;  // the first; the caller throws it on
};

}  // namespace bertha
