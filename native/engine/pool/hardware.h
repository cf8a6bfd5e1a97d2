// How many threads this process may really use.
#pragma once

#include <string>

namespace bertha {

struct HardwareThreads {
    int affinity = 1;    // processors this process may run on
    double quota = 0.0;  // of the cgroup (cpu.max) or job, in processors; 0 = none
    int physical = 1;    // physical cores among them; on macOS those for performance
    int chosen = 1;      // min(affinity, ceil(quota), physical), or BERTHA_THREADS
    std::string reason;
};

HardwareThreads hardware_threads();

}  // namespace bertha
