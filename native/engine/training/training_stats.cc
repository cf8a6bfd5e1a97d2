#include "engine/training/training_stats.h"

#include <atomic>

namespace bertha {
namespace {

std::atomic<int64_t> trainers{0}, running{0}, waiting{0}, steps{0}, tokens{0}, bytes{0};
std::atomic<Clock::rep> longest_slice{0};

int64_t read(const std::atomic<int64_t>& counter) { return counter.load(std::memory_order_relaxed); }
void add(std::atomic<int64_t>& counter, int64_t count) {
    counter.fetch_add(count, std::memory_order_relaxed);
}

}  // namespace

TrainingStats training_stats() {
    const Clock::duration slice(longest_slice.load(std::memory_order_relaxed));
    return {read(trainers),
            read(running),
            read(waiting),
            read(steps),
            read(tokens),
            read(bytes),
            std::chrono::duration<double, std::milli>(slice).count()};
}

void note_training_slice(Clock::duration slice) {
    Clock::rep longest = longest_slice.load(std::memory_order_relaxed);
    while (slice.count() > longest &&
           !longest_slice.compare_exchange_weak(longest, slice.count(), std::memory_order_relaxed)) {
    }
}

TrainerCount::TrainerCount() { add(trainers, 1); }

TrainerCount::~TrainerCount() {
    add(trainers, -1);
    set_bytes(0);
}

void TrainerCount::add_step() { add(steps, 1); }

void TrainerCount::add_tokens(int64_t count) { add(tokens, count); }

void TrainerCount::set_bytes(int64_t count) {
    add(bytes, count - bytes_);
    bytes_ = count;
}

TrainerCallCount::TrainerCallCount() { add(waiting, 1); }

void TrainerCallCount::begin() {
    if (stage_ != Stage::kWaiting) return;
    stage_ = Stage::kRunning;
    add(waiting, -1);
    add(running, 1);
}

void TrainerCallCount::end() {
    if (stage_ == Stage::kEnded) return;
    add(stage_ == Stage::kWaiting ? waiting : running, -1);
    stage_ = Stage::kEnded;
}

}  // namespace bertha
