// What one JavaScript environment (the main thread or a worker) owns: the way back from native threads, and
// the calls in flight. It is closed by a cleanup hook before the environment dies; results that come later
// are dropped.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/scheduler/job.h"
#include "generation/generation_job.h"

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

    // JavaScript thread: the calls in flight.
    struct Call {
        JobPtr job;
        // By output: the array that the pool's threads write into, or an empty reference.
        std::vector<Napi::Reference<Napi::Float32Array>> arrays;
        bool is_writing = false;
    };
    void add_call(int64_t id, Call&& call);
    // The call, whose job is done.
    Call remove_call(int64_t id);
    // A call whose job nobody will ever run.
    void drop_call(int64_t id);
    void cancel_call(int64_t id);
    // JavaScript thread: the texts being generated, by their calls' ids.
    struct Text {
        std::shared_ptr<generation::GenerationJob> job;
        Napi::FunctionReference on_tokens;
    };
    std::unordered_map<int64_t, Text> texts;
    // Any thread: a job that wrote into arrays of this environment is done.
    void end_writing();

    // JavaScript thread: what a close has to stop, by its owner.
    std::unordered_map<const void*, std::function<void()>> stop_at_close;

    Napi::FunctionReference model_constructor;
    Napi::FunctionReference trainer_constructor;
    // The trainer that the constructor is being called for.
    std::shared_ptr<class Trainer> trainer_to_wrap;
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
    int64_t writing_ = 0;  // jobs that may write into arrays of this environment
    std::condition_variable written_;
    std::unordered_map<int64_t, Call> calls_;
};

}  // namespace bertha::addon
