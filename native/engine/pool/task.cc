#include "engine/pool/task.h"

#include <utility>

namespace bertha {

void Task::run(int64_t unit) {
    if (std::optional<Failure> failure = failure_of([&] { body_(unit); })) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!failure_) failure_ = std::move(failure);
    }
    if (ended_.fetch_add(1, std::memory_order_acq_rel) + 1 != units_) return;
    body_ = nullptr;  // and what it holds, before anybody hears of the end
    on_done_(failure_);
}

}  // namespace bertha
