// A batch as it crosses from TypeScript.
#pragma once

#include <napi.h>

#include "engine/scheduler/checked_batch.h"

namespace bertha::addon {

// The program's inputs and its domains' offsets by their names, as they lie in JavaScript's memory: valid
// until the call returns. Nothing is wanted yet.
JobInputs read_numbers(const Program& program, const Napi::Object& batch);

}  // namespace bertha::addon
