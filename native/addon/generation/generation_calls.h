// Texts being generated, as calls of JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "engine/model.h"

namespace bertha::addon {

// (text, id, onTokens | undefined): Promise<NativeGenerated>; src/runtime/generation/native-generation.ts
Napi::Value generate(const Napi::CallbackInfo& info, const std::shared_ptr<const Model>& model);
// (id, sequence)
Napi::Value stop_sequence(const Napi::CallbackInfo& info);
// { texts, waiting, tokens, steps, stateBytes, maxStateBytes }
Napi::Object generation_stats(Napi::Env env);
// (bytes)
Napi::Value set_max_state_bytes(const Napi::CallbackInfo& info);

}  // namespace bertha::addon
