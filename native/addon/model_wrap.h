// The JavaScript class NativeModel: one loaded program.
#pragma once

#include <napi.h>

#include <memory>

#include "engine/model.h"

namespace bertha::addon {

class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
public:
    static Napi::Function define(Napi::Env env);
    // load(spec): Promise<NativeModel>
    static Napi::Value load(const Napi::CallbackInfo& info);

    explicit ModelWrap(const Napi::CallbackInfo& info);
    void Finalize(Napi::BasicEnv env) override;

private:
    Napi::Value run(const Napi::CallbackInfo& info);       // run(batch, id): Promise<RunResult>
    Napi::Value run_sync(const Napi::CallbackInfo& info);  // runSync(batch): RunResult
    Napi::Value generate(const Napi::CallbackInfo& info);  // generate(text, id, onTokens)
    Napi::Value cancel(const Napi::CallbackInfo& info);    // cancel(id)
    Napi::Value dispose(const Napi::CallbackInfo& info);
    Napi::Value memory_usage(const Napi::CallbackInfo& info);
    std::shared_ptr<const Model> model() const;

    std::shared_ptr<const Model> model_;
    int64_t reported_bytes_ = 0;
};

}  // namespace bertha::addon
