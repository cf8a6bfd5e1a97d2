#include "addon/training/trainer_calls.h"

#include <utility>

#include "addon/args.h"
#include "addon/vectors/pool_task.h"
#include "engine/pool/pool.h"
#include "engine/scheduler/batch_control.h"
#include "engine/scheduler/scheduler.h"
#include "engine/training/training_stats.h"

namespace bertha::addon {
namespace {

void submit(const std::shared_ptr<Environment>& environment, const Napi::Promise::Deferred& deferred,
            std::function<void()> work, std::function<Napi::Value(Napi::Env)> to_value,
            std::function<void(Environment&)> at_end) {
    Pool::instance().submit(std::make_shared<Task>(
        1, [work = std::move(work)](int64_t) { work(); },
        settle_begun(environment, deferred, std::move(to_value), std::move(at_end))));
}

}  // namespace

TrainerCalls::TrainerCalls(Napi::Env, std::shared_ptr<Trainer> trainer) : trainer_(std::move(trainer)) {}

Napi::Promise TrainerCalls::add(Napi::Env env, int64_t id, Work work,
                                std::function<Napi::Value(Napi::Env)> to_value) {
    const std::shared_ptr<Environment> environment = Environment::of(env);
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    cancelled_[id] = cancelled;
    environment->begin_operation(env);
    const std::shared_ptr<TrainerCalls> self = shared_from_this();
    const auto count = std::make_shared<TrainerCallCount>();
    waiting_.push_back([self, trainer = trainer_, environment, deferred, id, cancelled, count,
                        work = std::move(work), to_value = std::move(to_value)] {
        submit(
            environment, deferred,
            [trainer, cancelled, count, work] {
                BERTHA_CHECK(!cancelled->load(), "ABORTED", "the call was aborted");
                count->begin();
                BodyControl control(Scheduler::instance(), *cancelled);
                work(*trainer, control);
            },
            to_value,
            [self, id, count](Environment&) {
                count->end();
                self->cancelled_.erase(id);
                self->is_running_ = false;
                self->start_next();
            });
    });
    start_next();
    return deferred.Promise();
}

void TrainerCalls::start_next() {
    if (is_running_ || waiting_.empty()) return;
    is_running_ = true;
    const std::function<void()> start = std::move(waiting_.front());
    waiting_.pop_front();
    start();
}

void TrainerCalls::cancel(int64_t id) {
    if (const auto found = cancelled_.find(id); found != cancelled_.end()) found->second->store(true);
}

void TrainerCalls::cancel_all() {
    for (const auto& entry : cancelled_) entry.second->store(true);
    waiting_.clear();
}

void TrainerCalls::dispose() { trainer_.reset(); }

}  // namespace bertha::addon
