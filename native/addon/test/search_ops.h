// The search for one text, fed with logits by hand.
#pragma once

#include <napi.h>

namespace bertha::addon {

Napi::Object define_search_ops(Napi::Env env);

}  // namespace bertha::addon
