// Loops on the pool that a promise waits for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "addon/args.h"
#include "addon/environment.h"
#include "engine/pool/hardware.h"
#include "engine/pool/pool.h"

namespace bertha::addon {

inline void ensure_pool() {
    static const int threads = hardware_threads().chosen;
    Pool::instance().ensure_workers(threads);
}

// What a pool's thread calls once, at the end of an operation that has begun: settles the promise on the
// JavaScript thread with result(env), or rejects it with the failure. `at_end` runs before either. Everything
// that the two hold goes to that thread and is given back there before the promise is heard of: a pool's
// thread that is slow to leave its task holds nothing of it.
template <typename Result>
std::function<void(const std::optional<Failure>& failure)> settle_begun(
    const std::shared_ptr<Environment>& environment, const Napi::Promise::Deferred& deferred, Result result,
    std::function<void(Environment&)> at_end = nullptr) {
    return [environment, deferred, result = std::move(result),
            at_end = std::move(at_end)](const std::optional<Failure>& failure) mutable {
        environment->post([environment, deferred, result = std::move(result), at_end = std::move(at_end),
                           failure](Napi::Env env) {
            const Napi::HandleScope scope(env);
            environment->end_operation(env);
            if (at_end) at_end(*environment);
            settle(env, deferred, [&]() -> Napi::Value {
                if (failure) throw Error(failure->code, failure->message);
                return result(env);
            });
        });
    };
}

// As settle_begun, for an operation that begins now: the process stays alive until its end.
template <typename Result>
std::function<void(const std::optional<Failure>& failure)> settle_later(
    Napi::Env env, const Napi::Promise::Deferred& deferred, Result result,
    std::function<void(Environment&)> at_end = nullptr) {
    const std::shared_ptr<Environment> environment = Environment::of(env);
    environment->begin_operation(env);
    return settle_begun(environment, deferred, std::move(result), std::move(at_end));
}

// Runs body(unit) on the pool; the promise resolves with what `result` makes on the JavaScript thread.
template <typename Result>
Napi::Value run_task(Napi::Env env, int64_t units, Task::Body body, Result result) {
    ensure_pool();
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    Pool::instance().submit(
        std::make_shared<Task>(units, std::move(body), settle_later(env, deferred, std::move(result))));
    return deferred.Promise();
}

}  // namespace bertha::addon
