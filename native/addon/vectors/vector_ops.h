// Exact search and products of vectors on the pool, for src/vectors.
#pragma once

#include <napi.h>

namespace bertha::addon {

Napi::Object define_vector_ops(Napi::Env env);

}  // namespace bertha::addon
