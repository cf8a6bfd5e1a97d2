#include <cstdio>

#include "cuda/launch.h"

namespace bertha::cuda {
namespace {

constexpr int kMinCapability = 75;

std::string version(int number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}
std::string dotted(int capability) {
    return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

}  // namespace

std::string problem_of_device(int device) {
    const DriverFacts driver = driver_facts();
    if (driver.version == 0) return "there is no NVIDIA driver";
    if (driver.is_too_old)
        return "the driver supports CUDA " + version(driver.version) + ": expected " +
               version(driver.runtime_version) + " or newer";
    if (!driver.error.empty()) return "there is no CUDA device: " + driver.error;
    if (driver.devices == 0) return "there is no CUDA device";
    if (device >= driver.devices)
        return "there is no device " + std::to_string(device) + ": expected 0 to " +
               std::to_string(driver.devices - 1);
    const DeviceFacts facts = device_facts(device);
    if (facts.capability < kMinCapability)
        return facts.name + " has compute capability " + dotted(facts.capability) + ": expected " +
               dotted(kMinCapability) + " or more";
    if (is_lost(device)) return "the device was lost by an earlier error; restart the process";
    return "";
}

std::string description_of_device(int device) {
    const DeviceFacts facts = device_facts(device);
    char memory[32];
    std::snprintf(memory, sizeof memory, "%.1f GiB",
                  static_cast<double>(facts.memory_bytes) / static_cast<double>(int64_t{1} << 30));
    return facts.name + ", compute capability " + dotted(facts.capability) + ", " + memory;
}

}  // namespace bertha::cuda
