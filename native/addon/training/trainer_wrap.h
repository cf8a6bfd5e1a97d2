// The JavaScript class NativeTrainer: a program that learns. Its calls run one after the other, as bulk work
// of the pool.
#pragma once

#include <napi.h>

#include <memory>

namespace bertha::addon {

class TrainerCalls;

class TrainerWrap : public Napi::ObjectWrap<TrainerWrap> {
public:
    static Napi::Function define(Napi::Env env);
    // load(program, options): Promise<NativeTrainer>
    static Napi::Value load(const Napi::CallbackInfo& info);

    explicit TrainerWrap(const Napi::CallbackInfo& info);
    ~TrainerWrap() override;

private:
    Napi::Value step(const Napi::CallbackInfo& info);
    Napi::Value accumulate(const Napi::CallbackInfo& info);
    Napi::Value update(const Napi::CallbackInfo& info);
    Napi::Value gradient_norm(const Napi::CallbackInfo& info);
    Napi::Value zero_gradients(const Napi::CallbackInfo& info);
    Napi::Value read(const Napi::CallbackInfo& info);
    Napi::Value write(const Napi::CallbackInfo& info);
    Napi::Value live_model(const Napi::CallbackInfo& info);
    Napi::Value snapshot(const Napi::CallbackInfo& info);
    Napi::Value cancel(const Napi::CallbackInfo& info);
    Napi::Value dispose(const Napi::CallbackInfo& info);
    Napi::Value memory_usage(const Napi::CallbackInfo& info);
    TrainerCalls& calls() const;

    std::shared_ptr<TrainerCalls> calls_;
};

}  // namespace bertha::addon
