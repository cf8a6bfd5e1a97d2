// Whether loops are shared at all. A straggler, a thread whose processor another program uses, holds up the
// caller of a shared loop; after that, callers compute alone for a while.
#pragma once

#include <algorithm>

#include "engine/clock.h"

namespace bertha {

class StragglerBackoff {
public:
    bool is_active(Clock::time_point now) const { return now < until_; }

    // After a team is closed: what sharing saved its caller, and what the caller lost by waiting for
    // stragglers.
    void record(Clock::duration saved, Clock::duration lost, Clock::time_point now) {
        balance_ = std::min(balance_ + saved - lost, kLargestBalance);
        if (balance_ >= Clock::duration::zero()) return;
        until_ = now - kFactor * balance_;
        balance_ = Clock::duration::zero();
    }

    // Callers are alone this many times as long as they lost: stragglers cost 11 % of the time at worst.
    static constexpr int kFactor = 8;

private:
    // What was saved may be lost again, up to a time slice of the system's scheduler.
    static constexpr Clock::duration kLargestBalance = std::chrono::milliseconds(4);

    Clock::time_point until_{};
    Clock::duration balance_{};
};

}  // namespace bertha
