// launch.h on the CUDA runtime, linked statically: the addon needs neither a toolkit nor, to load, a driver.
#include <cuda_runtime.h>

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

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

// Errors after which "the process must be terminated and relaunched" (driver_types.h of CUDA 13), and those
// of hardware after which no value can be trusted.
bool is_fatal(cudaError_t error) {
    switch (error) {
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchTimeout:
        case cudaErrorAssert:
        case cudaErrorHardwareStackError:
        case cudaErrorIllegalInstruction:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorLaunchFailure:
        case cudaErrorTensorMemoryLeak:
        case cudaErrorContained:
        case cudaErrorMpsClientTerminated:
        case cudaErrorExternalDevice:
        case cudaErrorECCUncorrectable:
        case cudaErrorNvlinkUncorrectable: return true;
        default: return false;
    }
}

// Whether the device refuses work. Only where it was in use before: a device that is busy refuses as well.
bool refuses_work(cudaStream_t stream) {
    const cudaError_t error = cudaStreamQuery(stream);
    return error != cudaSuccess && error != cudaErrorNotReady;
}

struct Call {
    const char* name;
    int line;
    bool in_use = true;             // the calling thread has chosen the device before
    cudaStream_t stream = nullptr;  // of the call, else the default one
    size_t bytes = 0;
};

void check(cudaError_t error, const Call& call) {
    if (error == cudaSuccess) return;
    cudaGetLastError();  // an error that the device survives must not meet the next call
    if (error == cudaErrorMemoryAllocation) {
        size_t available = 0, total = 0;
        cudaMemGetInfo(&available, &total);
        fail("DEVICE_OOM", "%s: expected %zu bytes, %zu of the device's %zu are free", call.name, call.bytes,
             available, total);
    }
    if (error == cudaErrorDevicesUnavailable)
        fail("DEVICE", "%s (runtime.cu:%d): the device is busy or reserved for another process: retry later",
             call.name, call.line);
    const bool lost = is_fatal(error) || (call.in_use && refuses_work(call.stream));
    cudaGetLastError();
    if (lost) lost_devices |= uint64_t{1} << (current_device() & 63);
    fail(lost ? "DEVICE_LOST" : "DEVICE", "%s (runtime.cu:%d): %s: %s", call.name, call.line,
         cudaGetErrorName(error), cudaGetErrorString(error));
}
// The call on a device that may not have been used yet; the same in use, on a stream.
#define BERTHA_FIRST_CALL(call) check((call), {#call, __LINE__, false})
#define BERTHA_CALL_ON(stream, call) check((call), {#call, __LINE__, true, (stream)})

// Bytes of shared memory that each kernel was granted on each device. Never destroyed: threads may still
// launch while the process ends.
struct Granted {
    std::mutex mutex;
    std::map<std::pair<const void*, int>, size_t> bytes;
};

constexpr size_t kFreely = 48 * 1024;  // more must be asked for
// From here on a kernel's blocks per SM hang on the split of L1 and shared memory, which the driver chooses
// by guess unless told.
constexpr size_t kMuch = 16 * 1024;

void ask_for_shared_memory(const char* name, const void* kernel, size_t bytes, cudaStream_t stream) {
    static Granted& granted = *new Granted;
    const std::lock_guard<std::mutex> lock(granted.mutex);
    const std::pair<const void*, int> key{kernel, current_device()};
    const auto found = granted.bytes.find(key);
    if (found != granted.bytes.end() && found->second >= bytes) return;
    if (bytes > kFreely)
        check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   static_cast<int>(bytes)),
              {name, __LINE__, true, stream});
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                               cudaSharedmemCarveoutMaxShared),
          {name, __LINE__, true, stream});
    granted.bytes[key] = bytes;
}

cudaStream_t stream_of(Stream stream) { return static_cast<cudaStream_t>(stream); }

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
    BERTHA_FIRST_CALL(cudaGetDeviceProperties(&properties, device));
    return {properties.name, 10 * properties.major + properties.minor,
            static_cast<int64_t>(properties.totalGlobalMem)};
}

void use_device(int device) {
    BERTHA_CHECK(!is_lost(device), "DEVICE_LOST", "cuda:%d was lost by an earlier error; restart the process",
                 device);
    // A thread that waits must sleep: it shares its processors with tokenizers and CPU models. What throws is
    // tried again by the next call.
    static std::once_flag once[64];
    std::call_once(once[device & 63], [device] {
        BERTHA_FIRST_CALL(cudaSetDevice(device));
        BERTHA_FIRST_CALL(cudaSetDeviceFlags(cudaDeviceScheduleBlockingSync));
    });
    BERTHA_FIRST_CALL(cudaSetDevice(device));
}

void* allocate_device(size_t bytes) {
    void* pointer = nullptr;
    check(cudaMalloc(&pointer, bytes), {"cudaMalloc", __LINE__, true, nullptr, bytes});
    return pointer;
}
// At the end of a process the runtime may be gone before us: errors here mean nothing.
void free_device(void* pointer) noexcept { cudaFree(pointer); }
void* allocate_pinned(size_t bytes) {
    void* pointer = nullptr;
    check(cudaMallocHost(&pointer, bytes), {"cudaMallocHost", __LINE__, true, nullptr, bytes});
    return pointer;
}
void free_pinned(void* pointer) noexcept { cudaFreeHost(pointer); }

Stream create_stream() {
    cudaStream_t stream = nullptr;
    BERTHA_CALL_ON(nullptr, cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    return stream;
}
void destroy_stream(Stream stream) noexcept {
    if (stream != nullptr) cudaStreamDestroy(stream_of(stream));
}
void copy_to_device(void* device, const void* host, size_t bytes, Stream stream) {
    BERTHA_CALL_ON(stream_of(stream),
                   cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_of(stream)));
}
void copy_to_host(void* host, const void* device, size_t bytes, Stream stream) {
    BERTHA_CALL_ON(stream_of(stream),
                   cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_of(stream)));
}
bool is_done(Stream stream) {
    const cudaError_t error = cudaStreamQuery(stream_of(stream));
    if (error == cudaErrorNotReady) {
        cudaGetLastError();
        return false;
    }
    check(error, {"cudaStreamQuery", __LINE__, true, stream_of(stream)});
    return true;
}
void wait_for(Stream stream) { BERTHA_CALL_ON(stream_of(stream), cudaStreamSynchronize(stream_of(stream))); }
void settle(Stream stream) noexcept {
    cudaStreamSynchronize(stream_of(stream));
    cudaGetLastError();
}

void launch_kernel(const char* name, const void* kernel, void (*)(const void*), const Grid& grid,
                   Stream stream, const void* params) {
    if (grid.shared_bytes >= kMuch) ask_for_shared_memory(name, kernel, grid.shared_bytes, stream_of(stream));
    void* arguments[] = {const_cast<void*>(params)};
    check(
        cudaLaunchKernel(
            kernel,
            dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z)),
            dim3(static_cast<unsigned>(grid.threads)), arguments, grid.shared_bytes, stream_of(stream)),
        {name, __LINE__, true, stream_of(stream)});
}

}  // namespace bertha::cuda
