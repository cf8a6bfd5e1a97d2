// Linear models over rows in native memory, for src/learn.
#pragma once

#include <napi.h>

namespace bertha::addon {

Napi::Object define_learn_ops(Napi::Env env);

}  // namespace bertha::addon
