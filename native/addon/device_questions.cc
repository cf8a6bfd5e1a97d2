#include "addon/device_questions.h"

#include <system_error>

#include "addon/args.h"
#include "addon/environment.h"
#include "devices.h"
#include "engine/check.h"
#include "engine/system/thread.h"

namespace bertha::addon {
namespace {

Napi::Value device_count_of(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), device_count());
}

Napi::Value device_problem_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::string device = to_string(info[0], "device");
        const std::string problem = info.Length() == 1
                                        ? device_problem(device)
                                        : task_problem(device, to_string(info[1], "precision"),
                                                       to_int(info[2], "headDim", 0, INT32_MAX));
        return Napi::String::New(info.Env(), problem);
    });
}

Napi::Value device_description_of(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        return Napi::String::New(info.Env(), device_description(to_string(info[0], "device")));
    });
}

// Resolves when the driver has been set up, on a thread of its own: the other questions are then answered at
// once.
Napi::Value find_devices(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
        const std::shared_ptr<Environment> environment = Environment::of(env);
        const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
        environment->begin_operation(env);
        try {
            start_thread([environment, deferred] {
                device_count();
                environment->post([environment, deferred](Napi::Env env) {
                    const Napi::HandleScope scope(env);
                    environment->end_operation(env);
                    deferred.Resolve(env.Undefined());
                });
            });
        } catch (const std::system_error& refused) {
            environment->end_operation(env);
            fail("THREADS", "the system refuses to start a thread: %s", refused.what());
        }
        return deferred.Promise();
    });
}

}  // namespace

void define_device_questions(Napi::Env env, Napi::Object exports) {
    exports.Set("deviceCount", Napi::Function::New(env, device_count_of, "deviceCount"));
    exports.Set("deviceProblem", Napi::Function::New(env, device_problem_of, "deviceProblem"));
    exports.Set("deviceDescription", Napi::Function::New(env, device_description_of, "deviceDescription"));
    exports.Set("findDevices", Napi::Function::New(env, find_devices, "findDevices"));
}

}  // namespace bertha::addon
