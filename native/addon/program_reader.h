// The program as it crosses from TypeScript (src/models/program.ts writes it).
#pragma once

#include <napi.h>

#include <vector>

#include "addon/weights/file_source.h"
#include "engine/program/program.h"

namespace bertha::addon {

// NativeProgram of src/runtime/native.ts.
Program read_program(const Napi::Object& spec);
// weights[i].parts: [{fd, offset, dtype, rowBegin, rows, name}]
std::vector<WeightParts> read_parts(const Napi::Object& spec);

// One op, whose shapes no program was asked about.
Op read_op(const Napi::Object& object);

Activation activation_from(const std::string& name);
PoolMode pool_mode_from(const std::string& name);

}  // namespace bertha::addon
