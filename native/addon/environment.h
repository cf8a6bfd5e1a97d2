// What one JavaScript environment (the main thread or a worker) owns: the way back from native threads, and
// the calls in flight. It is closed by a cleanup hook before the environment dies; results that come later
// are dropped.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "engine/scheduler/job.h"

namespace bertha::addon {

// Runs on the JavaScript thread.
using Completion = std::function<void(Napi::Env)>;

class Environment : public std::enable_shared_from_this<Environment> {
public:
    static std::shared_ptr<Environment> of(Napi::Env env);
    // Makes the environment's instance; called once when the addon is loaded into it.
    static void create(Napi::Env env);

    // Any thread. False when the environment is gone; the completion is then destroyed unused.
    bool post(Completion completion);
    // JavaScript thread: the process stays alive while operations are pending.
    void begin_operation(Napi::Env env);
    void end_operation(Napi::Env env);

    void add_job(int64_t id, const JobPtr& job) { jobs_[id] = job; }
    void remove_job(int64_t id) { jobs_.erase(id); }
    void cancel_job(int64_t id);

    Napi::FunctionReference model_constructor;
    // The model that the constructor is being called for: nobody else can construct one.
    std::shared_ptr<const Model> model_to_wrap;

private:
    static void call_js(Napi::Env env, Napi::Function, std::nullptr_t*, Completion* completion);
    using ThreadSafe = Napi::TypedThreadSafeFunction<std::nullptr_t, Completion, call_js>;
    void close();

    std::mutex mutex_;
    bool closed_ = false;
    ThreadSafe thread_safe_;
    int64_t pending_ = 0;
    std::unordered_map<int64_t, JobPtr> jobs_;
};

}  // namespace bertha::addon
