// What JavaScript asks about devices: deviceCount, deviceProblem, deviceDescription, findDevices.
#pragma once

#include <napi.h>

namespace bertha::addon {

void define_device_questions(Napi::Env env, Napi::Object exports);

}  // namespace bertha::addon
