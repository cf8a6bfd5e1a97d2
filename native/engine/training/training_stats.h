// What the trainers of the process do, counted for whoever watches. Any thread.
#pragma once

#include <cstdint>

#include "engine/clock.h"

namespace bertha {

struct TrainingStats {
    int64_t trainers = 0;           // in memory
    int64_t running = 0;            // calls of trainers that a thread computes
    int64_t waiting = 0;            // calls that have not begun
    int64_t steps = 0;              // updates of weights
    int64_t tokens = 0;             // of forwards and backwards that came to their end
    int64_t bytes = 0;              // of weights, gradients, moments and workspaces
    double longest_slice_ms = 0.0;  // that a trainer's thread computed without looking for other work
};

TrainingStats training_stats();

// A slice ended.
void note_training_slice(Clock::duration slice);

// A trainer, while it exists.
class TrainerCount {
public:
    TrainerCount();
    ~TrainerCount();
    TrainerCount(const TrainerCount&) = delete;
    TrainerCount& operator=(const TrainerCount&) = delete;

    void add_step();
    void add_tokens(int64_t tokens);
    // Of one thread at a time.
    void set_bytes(int64_t bytes);

private:
    int64_t bytes_ = 0;
};

// A call of a trainer: it waits until begin().
class TrainerCallCount {
public:
    TrainerCallCount();
    ~TrainerCallCount() { end(); }
    TrainerCallCount(const TrainerCallCount&) = delete;
    TrainerCallCount& operator=(const TrainerCallCount&) = delete;

    void begin();
    void end();

private:
    enum class Stage { kWaiting, kRunning, kEnded } stage_ = Stage::kWaiting;
};

}  // namespace bertha
