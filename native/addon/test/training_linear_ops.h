// The backward of products and attention, one op at a time.
#pragma once

#include <napi.h>

namespace bertha::addon {

void define_training_linear_ops(Napi::Env env, Napi::Object& ops);

}  // namespace bertha::addon
