// The device runtime as the backend sees it: memory, copies, one stream per workspace, launches. runtime.cu
// implements it with the CUDA runtime, test/native/cuda-emulator/runtime_emulated.cc on the host;
// device_problem.cc is shared.
//
// Every failure throws bertha::Error: DEVICE_OOM when memory is short (bytes asked and free), DEVICE_LOST
// when the device can do nothing any more in this process, DEVICE otherwise (busy, for one); the message
// names the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#ifdef BERTHA_CUDA_EMULATED
#include "cuda-emulator/runtime_emulated.h"
#endif

namespace bertha::cuda {

using Stream = void*;

struct DeviceFacts {
    std::string name;
    int capability = 0;  // 10 * major + minor
    int64_t memory_bytes = 0;
};

struct DriverFacts {
    int version = 0;  // the CUDA version it supports, as 1000 * major + 10 * minor; 0 without a driver
    int runtime_version = 0;  // the one this build was made with
    bool is_too_old = false;
    int devices = 0;
    std::string error;  // why devices cannot be counted
};
DriverFacts driver_facts();
DeviceFacts device_facts(int device);
// Whether an error has ruined the device for this process.
bool is_lost(int device);

// "" when the device can be used, else what is missing: driver, device, compute capability.
std::string problem_of_device(int device);
// Of a device that can be used: name, compute capability, memory.
std::string description_of_device(int device);

// Of the calling thread. Throws DEVICE_LOST when the device was lost before.
void use_device(int device);

void* allocate_device(size_t bytes);
void free_device(void* pointer) noexcept;
void* allocate_pinned(size_t bytes);
void free_pinned(void* pointer) noexcept;
Stream create_stream();
void destroy_stream(Stream stream) noexcept;
void copy_to_device(void* device, const void* host, size_t bytes, Stream stream);
void copy_to_host(void* host, const void* device, size_t bytes, Stream stream);
// Whether all that was queued is done. Throws what has gone wrong meanwhile.
bool is_done(Stream stream);
// Blocks the calling thread, without spinning.
void wait_for(Stream stream);
// The same before memory is reused or freed after a failure: errors mean nothing any more.
void settle(Stream stream) noexcept;

struct Grid {
    int x = 1, y = 1, z = 1;
    int threads = 32;
    size_t shared_bytes = 0;
};
// Queues kernel(params). `name` stands in errors.
void launch_kernel(const char* name, const void* kernel, void (*emulated)(const void*), const Grid& grid,
                   Stream stream, const void* params);

// launch<Params, kernel>("name", grid, stream, params): the one way kernels are started.
template <typename Params, void (*kKernel)(Params)>
void launch(const char* name, const Grid& grid, Stream stream, const Params& params) {
#ifdef BERTHA_CUDA_EMULATED
    emulator::note_launch(__PRETTY_FUNCTION__);
#endif
    launch_kernel(
        name, reinterpret_cast<const void*>(kKernel),
        [](const void* p) {
#ifdef BERTHA_CUDA_EMULATED
            kKernel(*static_cast<const Params*>(p));
#else
            static_cast<void>(p);
#endif
        },
        grid, stream, &params);
}

}  // namespace bertha::cuda
