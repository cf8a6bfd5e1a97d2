// Loops on the pool that a promise waits for.
#pragma once

#include <memory>
#include <utility>

#include "addon/args.h"
#include "addon/environment.h"
#include "engine/pool/hardware.h"
#include "engine/pool/pool.h"

namespace bertha::addon {

// Runs body(unit) on the pool; the promise resolves with what `result` makes on the JavaScript thread.
template <typename Result>
Napi::Value run_task(Napi::Env env, int64_t units, Task::Body body, Result result) {
    const std::shared_ptr<Environment> environment = Environment::of(env);
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
    const auto on_done = [environment, deferred, result](const std::optional<Failure>& failure) {
        environment->post([environment, deferred, result, failure](Napi::Env env) {
            const Napi::HandleScope scope(env);
            environment->end_operation(env);
            settle(env, deferred, [&]() -> Napi::Value {
                if (failure) throw Error(failure->code, failure->message);
                return result(env);
            });
        });
    };
    static const int threads = hardware_threads().chosen;
    Pool::instance().ensure_workers(threads);
    environment->begin_operation(env);
    Pool::instance().submit(std::make_shared<Task>(units, std::move(body), on_done));
    return deferred.Promise();
}

}  // namespace bertha::addon
