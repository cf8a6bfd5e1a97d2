// The calls of one NativeTrainer: one runs on the pool, the others wait on the JavaScript thread.
#pragma once

#include <napi.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>

#include "addon/environment.h"
#include "addon/training/trainer.h"

namespace bertha::addon {

class TrainerCalls : public std::enable_shared_from_this<TrainerCalls> {
public:
    TrainerCalls(Napi::Env env, std::shared_ptr<Trainer> trainer);

    const std::shared_ptr<Trainer>& trainer() const { return trainer_; }
    using Work = std::function<void(Trainer& trainer, Control& control)>;
    Napi::Promise add(Napi::Env env, int64_t id, Work work, std::function<Napi::Value(Napi::Env)> to_value);
    void cancel(int64_t id);
    // Stops what runs and what waits.
    void cancel_all();
    // No more calls; the memory goes when those in flight are done.
    void dispose();

private:
    void start_next();

    std::shared_ptr<Trainer> trainer_;
    std::unordered_map<int64_t, std::shared_ptr<std::atomic<bool>>> cancelled_;
    std::deque<std::function<void()>> waiting_;
    bool is_running_ = false;
};

}  // namespace bertha::addon
