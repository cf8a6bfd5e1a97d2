// The devices of this build and machine, by name: "cpu", "cuda", "cuda:N". The one place that knows every
// backend; the engine knows none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/backend.h"

namespace bertha {

// Loads onto the device asked for. Throws DEVICE or PRECISION when it cannot be had: there is no fallback.
std::unique_ptr<LoadedModel> load_model(std::shared_ptr<const Program> program, WeightSource& source,
                                        const LoadOptions& options, Team& team);

// The one name of a device: "cuda:0" for "cuda" and "cuda:00", "cpu" for "cpu".
std::string name_of_device(const std::string& device);
// What this build and machine can do about a device: "" when it can be used, else what is missing.
std::string device_problem(const std::string& device);
// CUDA devices, usable or not; 0 without a driver or without CUDA in this build. The first question about
// devices in a process sets up the driver, which takes up to a second.
int device_count();
// The same for a program whose attention heads are `head_dim` wide, in `precision`: what loading would
// refuse. Knows the limits of devices only; of the processor it says "".
std::string task_problem(const std::string& device, const std::string& precision, int64_t head_dim);
// Name, compute capability and memory of a device that can be used.
std::string device_description(const std::string& device);

}  // namespace bertha
