// Single ops on typed arrays, on the kernel table in force: for tests and benches.
#pragma once

#include <napi.h>

namespace bertha::addon {

Napi::Object define_ops(Napi::Env env);

}  // namespace bertha::addon
