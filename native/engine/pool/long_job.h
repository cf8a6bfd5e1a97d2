// Work of minutes in pieces: each member does one piece after the other, and between two of them its thread
// is free for whatever waits, interactive work first. A piece should take a millisecond or two.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/check.h"

namespace bertha {

// A part of a long job. Its members run `step` side by side until each has had false from it; the next phase
// begins when all are through.
struct LongPhase {
    int members = 1;
    std::function<bool(int member)> step;
    // What comes between this phase and the next, where that is known only at its end. May be empty.
    std::function<std::vector<LongPhase>()> then = nullptr;
};

// Runs the phases one after the other as bulk tasks of the pool, which must have a worker. What a step throws
// ends the job; `on_done` is called once, on a thread of the pool.
void start_long_job(std::vector<LongPhase> phases,
                    std::function<void(const std::optional<Failure>& failure)> on_done);

}  // namespace bertha
