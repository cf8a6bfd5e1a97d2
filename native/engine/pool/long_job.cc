#include "engine/pool/long_job.h"

#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/pool/pool.h"

namespace bertha {
namespace {

class LongJob : public std::enable_shared_from_this<LongJob> {
public:
    LongJob(std::vector<LongPhase> phases, std::function<void(const std::optional<Failure>&)> on_done)
        : phases_(std::move(phases)), on_done_(std::move(on_done)) {}

    void start_phase() {
        const int members = phases_[phase_].members;
        running_.store(members, std::memory_order_relaxed);
        for (int member = 0; member < members; member++) submit(member);
    }

private:
    void submit(int member) {
        const auto self = shared_from_this();
        const auto has_more = std::make_shared<bool>(false);
        Pool::instance().submit(std::make_shared<Task>(
            1, [self, has_more, member](int64_t) { *has_more = self->step(member); },
            [self, has_more, member](const std::optional<Failure>& failure) {
                if (failure) self->fail_with(*failure);
                if (*has_more)
                    self->submit(member);
                else
                    self->end_member();
            }));
    }

    bool step(int member) { return !failed_.load(std::memory_order_acquire) && phases_[phase_].step(member); }

    void fail_with(const Failure& failure) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!failure_) failure_ = failure;
        failed_.store(true, std::memory_order_release);
    }

    // Goes on to the next phase. Those that are done are forgotten where others come in.
    void advance() {
        const auto then = std::move(phases_[phase_].then);
        phase_++;
        if (then == nullptr || failed_.load(std::memory_order_acquire)) return;
        std::vector<LongPhase> next = then();
        const auto rest = phases_.begin() + static_cast<ptrdiff_t>(phase_);
        next.insert(next.end(), std::make_move_iterator(rest), std::make_move_iterator(phases_.end()));
        phases_ = std::move(next);
        phase_ = 0;
    }

    void end_member() {
        if (running_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        if (const auto failure = failure_of([&] { advance(); })) fail_with(*failure);
        if (!failed_.load(std::memory_order_acquire) && phase_ < phases_.size()) return start_phase();
        phases_.clear();  // and what they hold, before anybody hears of the end
        on_done_(failure_);
    }

    std::vector<LongPhase> phases_;
    const std::function<void(const std::optional<Failure>&)> on_done_;
    size_t phase_ = 0;  // changed by the last member of a phase alone
    std::atomic<int> running_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;
    std::optional<Failure> failure_;
};

}  // namespace

void start_long_job(std::vector<LongPhase> phases,
                    std::function<void(const std::optional<Failure>&)> on_done) {
    std::make_shared<LongJob>(std::move(phases), std::move(on_done))->start_phase();
}

}  // namespace bertha
