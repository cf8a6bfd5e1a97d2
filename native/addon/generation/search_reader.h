// A search's settings out of JavaScript (SearchSettings of src/generation/settings.ts), and its texts into
// it.
#pragma once

#include <napi.h>

#include "generation/search.h"

namespace bertha::addon {

generation::SearchSettings read_search_settings(const Napi::Object& object);
// { ids, logProbabilities, beams, score, finish }; finish: null for a text that goes on.
Napi::Object sequence_to_js(Napi::Env env, const generation::Sequence& sequence);

}  // namespace bertha::addon
