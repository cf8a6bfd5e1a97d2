// A batch as it crosses from TypeScript.
#pragma once

#include <napi.h>

#include "engine/scheduler/checked_batch.h"

namespace bertha::addon {

// The program's inputs, its domains' offsets and `outputs` of the batch, by their names, as they lie in
// JavaScript's memory: valid until the call returns.
JobInputs read_numbers(const Program& program, const Napi::Object& batch);

}  // namespace bertha::addon
