// What JavaScript gets of the addon. Types: src/runtime/native.ts.
#pragma once

#include <napi.h>

namespace bertha::addon {

Napi::Object define_exports(Napi::Env env, Napi::Object exports);

}  // namespace bertha::addon
