// Runs programs on an NVIDIA GPU: weights uploaded once, one arena per forward, one copy to the device and
// one back. fp32 computes in fp32 throughout (no TF32); fp16 and bf16 keep token rows in 16 bits and sum in
// fp32, heads on single rows stay fp32.
#pragma once

#include <memory>
#include <string>

#include "engine/backend.h"

namespace bertha::cuda {

// Devices that the driver lists, usable or not.
int device_count();
// "" when `device` ("cuda" or "cuda:N") can be used, else what is missing.
std::string device_problem(const std::string& device);
// "" when a usable device takes a program of such attention heads in `precision`, else why not.
std::string task_problem(const std::string& device, const std::string& precision, int64_t head_dim);
std::string device_description(const std::string& device);

// Throws DEVICE, PRECISION, DEVICE_OOM, DEVICE_LOST.
std::unique_ptr<LoadedModel> load(std::shared_ptr<const Program> program, WeightSource& source,
                                  const std::string& device, const std::string& precision);

}  // namespace bertha::cuda
