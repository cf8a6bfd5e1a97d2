// Single steps of word vectors on typed arrays, on the kernel table in force.
#pragma once

#include <napi.h>

namespace bertha::addon {

Napi::Object define_test_word_ops(Napi::Env env);

}  // namespace bertha::addon
