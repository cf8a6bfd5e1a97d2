#include "engine/pool/work_stealing_team.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "engine/floating_point.h"

namespace bertha {
namespace {

constexpr int kSpins = 2000;  // about 50 us of PAUSE before the processor is offered to others
// What a member may take beyond twice the caller's time for a unit: cache misses, an interrupt.
constexpr auto kGrace = std::chrono::microseconds(100);

class Spin {
public:
    void wait() {
        if (count_ < kSpins) {
            count_++;
            pause();
        } else {
            std::this_thread::yield();
        }
    }

private:
    int count_ = 0;
};

}  // namespace

bool WorkStealingTeam::Share::claim(bool first, int64_t& unit) {
    uint64_t seen = units.load(std::memory_order_acquire);
    for (;;) {
        const uint64_t next = seen & kUnitMask, end = (seen >> kUnitBits) & kUnitMask;
        if (next >= end) return false;
        const uint64_t left = first ? seen + 1 : seen - (uint64_t{1} << kUnitBits);
        if (units.compare_exchange_weak(seen, left, std::memory_order_acq_rel, std::memory_order_acquire)) {
            unit = static_cast<int64_t>(first ? next : end - 1);
            return true;
        }
    }
}

bool WorkStealingTeam::claim(int member, int64_t& unit) {
    if (shares_[static_cast<size_t>(member)].claim(true, unit)) return true;
    for (int other = 1; other < size_; other++)
        if (shares_[static_cast<size_t>((member + other) % size_)].claim(false, unit)) return true;
    return false;
}

void WorkStealingTeam::call(Body body, void* context, int64_t unit, int member) noexcept {
    if (failed_.load(std::memory_order_relaxed)) return;
    try {
        body(context, unit, member);
    } catch (...) {
        if (!failed_.exchange(true, std::memory_order_acq_rel)) error_ = std::current_exception();
    }
}

void WorkStealingTeam::run(int64_t units, Body body, void* context) {
    constexpr int64_t kMost = static_cast<int64_t>(kUnitMask);
    for (int64_t first = 0; first < units; first += kMost)
        run_part(first, std::min(kMost, units - first), body, context);
}

void WorkStealingTeam::run_part(int64_t first, int64_t units, Body body, void* context) {
    if (units == 1 || has_straggler_ || present_.load(std::memory_order_relaxed) == 0) {
        for (int64_t unit = 0; unit < units; unit++) body(context, first + unit, 0);
        return;
    }
    const Clock::time_point start = Clock::now();
    body_ = body;
    context_ = context;
    first_ = first;
    done_.store(0, std::memory_order_relaxed);
    generation_++;
    const int members = std::min(size_, joined_.load(std::memory_order_relaxed) + 1);
    for (int member = 0; member < members; member++) {
        const auto begin = static_cast<uint64_t>(units * member / members),
                   end = static_cast<uint64_t>(units * (member + 1) / members);
        shares_[static_cast<size_t>(member)].units.store(
            (generation_ << (2 * kUnitBits)) | (end << kUnitBits) | begin, std::memory_order_release);
    }
    int64_t mine = 0;
    for (int64_t unit = 0; claim(0, unit); mine++) call(body, context, first + unit, 0);
    if (mine < units) wait_for_members(units - mine, mine, start);
    if (failed_.exchange(false, std::memory_order_relaxed))  // the next run starts afresh
        std::rethrow_exception(std::exchange(error_, nullptr));
}

void WorkStealingTeam::wait_for_members(int64_t theirs, int64_t mine, Clock::time_point start) {
    const Clock::time_point ran_out = Clock::now();
    for (Spin spin; done_.load(std::memory_order_acquire) != theirs;) spin.wait();
    if (mine == 0) return;  // the caller was the straggler
    const Clock::duration of_unit = (ran_out - start) / mine, waited = Clock::now() - ran_out;
    stolen_ += theirs * of_unit;
    // The last unit may have been claimed just when the caller ran out of them.
    if (waited < 2 * of_unit + kGrace) return;
    waited_ += waited;
    has_straggler_ = true;
    close();
}

bool WorkStealingTeam::join(const std::function<bool()>& should_leave,
                            const std::function<void()>& make_way) {
    present_.fetch_add(1, std::memory_order_acq_rel);
    const int member = joined_.fetch_add(1, std::memory_order_acq_rel) + 1;
    const bool joined = member < size_ && !closed_.load(std::memory_order_acquire);
    if (joined) {
        const FlushDenormals flush;
        Spin spin;
        while (!closed_.load(std::memory_order_acquire)) {
            make_way();
            int64_t unit = 0;
            if (claim(member, unit)) {
                call(body_, context_, first_ + unit, member);
                done_.fetch_add(1, std::memory_order_acq_rel);
                spin = Spin();
            } else {
                if (should_leave()) break;
                spin.wait();
            }
        }
    }
    present_.fetch_sub(1, std::memory_order_acq_rel);
    return joined;
}

}  // namespace bertha
