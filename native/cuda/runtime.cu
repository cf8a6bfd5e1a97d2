// launch.h on the CUDA runtime, linked statically: the addon needs neither a toolkit nor, to load, a driver.
#include <cuda_runtime.h>

#include <atomic>
#include <mutex>
#include <set>

#include "cuda/launch.h"
#include "engine/check.h"

namespace bertha::cuda {
namespace {

// Devices whose context an error has ruined. Only a new process brings them back.
std::atomic<uint64_t> lost_devices{0};

int current_device() {
    int device = 0;
    return cudaGetDevice(&device) == cudaSuccess ? device : 0;
}

bool is_sticky(cudaError_t error) {
    switch (error) {
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchFailure:
        case cudaErrorLaunchTimeout:
        case cudaErrorIllegalInstruction:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorAssert:
        case cudaErrorHardwareStackError:
        case cudaErrorECCUncorrectable:
        case cudaErrorDevicesUnavailable: return true;
        default: return false;
    }
}

void check(cudaError_t error, const char* call, int line, size_t bytes = 0) {
    if (error == cudaSuccess) return;
    cudaGetLastError();  // an error that is not sticky must not meet the next call
    if (error == cudaErrorMemoryAllocation) {
        size_t available = 0, total = 0;
        cudaMemGetInfo(&available, &total);
        fail("DEVICE_OOM", "%s: expected %zu bytes, %zu of the device's %zu are free", call, bytes, available,
             total);
    }
    const bool lost = is_sticky(error);
    if (lost) lost_devices |= uint64_t{1} << (current_device() & 63);
    fail(lost ? "DEVICE_LOST" : "DEVICE", "%s (runtime.cu:%d): %s: %s", call, line, cudaGetErrorName(error),
         cudaGetErrorString(error));
}
#define BERTHA_CUDA_CALL(call) check((call), #call, __LINE__)

}  // namespace

bool is_lost(int device) { return (lost_devices >> (device & 63) & 1) != 0; }

DriverFacts driver_facts() {
    DriverFacts facts;
    cudaDriverGetVersion(&facts.version);
    cudaRuntimeGetVersion(&facts.runtime_version);
    const cudaError_t error = cudaGetDeviceCount(&facts.devices);
    if (error == cudaSuccess) return facts;
    cudaGetLastError();
    facts.devices = 0;
    facts.is_too_old = error == cudaErrorInsufficientDriver;
    if (error != cudaErrorNoDevice)
        facts.error = std::string(cudaGetErrorName(error)) + ": " + cudaGetErrorString(error);
    return facts;
}

DeviceFacts device_facts(int device) {
    cudaDeviceProp properties{};
    BERTHA_CUDA_CALL(cudaGetDeviceProperties(&properties, device));
    return {properties.name, 10 * properties.major + properties.minor,
            static_cast<int64_t>(properties.totalGlobalMem)};
}

void use_device(int device) {
    BERTHA_CHECK(!is_lost(device), "DEVICE_LOST", "cuda:%d was lost by an earlier error; restart the process",
                 device);
    // A thread that waits must sleep: it shares its processors with tokenizers and CPU models.
    static std::once_flag once[64];
    std::call_once(once[device & 63], [device] {
        if (cudaSetDevice(device) == cudaSuccess) cudaSetDeviceFlags(cudaDeviceScheduleBlockingSync);
        cudaGetLastError();
    });
    BERTHA_CUDA_CALL(cudaSetDevice(device));
}

void* allocate_device(size_t bytes) {
    void* pointer = nullptr;
    check(cudaMalloc(&pointer, bytes), "cudaMalloc", __LINE__, bytes);
    return pointer;
}
// At the end of a process the runtime may be gone before us: errors here mean nothing.
void free_device(void* pointer) noexcept { cudaFree(pointer); }
void* allocate_pinned(size_t bytes) {
    void* pointer = nullptr;
    check(cudaMallocHost(&pointer, bytes), "cudaMallocHost", __LINE__, bytes);
    return pointer;
}
void free_pinned(void* pointer) noexcept { cudaFreeHost(pointer); }

Stream create_stream() {
    cudaStream_t stream = nullptr;
    BERTHA_CUDA_CALL(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return stream;
}
void destroy_stream(Stream stream) noexcept {
    if (stream != nullptr) cudaStreamDestroy(static_cast<cudaStream_t>(stream));
}
void copy_to_device(void* device, const void* host, size_t bytes, Stream stream) {
    BERTHA_CUDA_CALL(
        cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, static_cast<cudaStream_t>(stream)));
}
void copy_to_host(void* host, const void* device, size_t bytes, Stream stream) {
    BERTHA_CUDA_CALL(
        cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, static_cast<cudaStream_t>(stream)));
}
void wait_for(Stream stream) { BERTHA_CUDA_CALL(cudaStreamSynchronize(static_cast<cudaStream_t>(stream))); }

void launch_kernel(const char* name, const void* kernel, void (*)(const void*), const Grid& grid,
                   Stream stream, const void* params) {
    constexpr size_t kFreely = 48 * 1024;  // more must be asked for, once per kernel and device
    if (grid.shared_bytes > kFreely) {
        static std::mutex mutex;
        static std::set<std::pair<const void*, int>> asked;
        const std::lock_guard<std::mutex> lock(mutex);
        if (asked.insert({kernel, current_device()}).second)
            check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                       static_cast<int>(grid.shared_bytes)),
                  name, __LINE__);
    }
    void* arguments[] = {const_cast<void*>(params)};
    check(cudaLaunchKernel(kernel,
                           dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
                                static_cast<unsigned>(grid.z)),
                           dim3(static_cast<unsigned>(grid.threads)), arguments, grid.shared_bytes,
                           static_cast<cudaStream_t>(stream)),
          name, __LINE__);
}

}  // namespace bertha::cuda
