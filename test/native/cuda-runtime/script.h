// What the stand-in for the CUDA runtime is told to do, and what it was asked for.
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "cuda_runtime.h"

namespace bertha::test {

struct Script {
    std::map<std::string, cudaError_t> failures;  // by call; each fails once, but a query again and again
    bool is_ready = true;
    std::vector<std::string> calls;
    int device = 0;
    cudaStream_t queried = nullptr;
};
inline Script script;

// Counts the call and returns what it was told to.
inline cudaError_t step(const std::string& call) {
    script.calls.push_back(call);
    const auto found = script.failures.find(call);
    if (found == script.failures.end()) return cudaSuccess;
    const cudaError_t error = found->second;
    if (call != "cudaStreamQuery") script.failures.erase(found);
    return error;
}
inline int count_of(const std::string& call) {
    int count = 0;
    for (const std::string& each : script.calls) count += each == call ? 1 : 0;
    return count;
}

}  // namespace bertha::test

inline const char* cudaGetErrorName(cudaError_t) { return "the error's name"; }
inline const char* cudaGetErrorString(cudaError_t) { return "its description"; }
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaDriverGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}
inline cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }
inline cudaError_t cudaGetDeviceCount(int* count) {
    *count = 64;
    return bertha::test::step("cudaGetDeviceCount");
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    std::strcpy(properties->name, "stand-in");
    properties->major = 9;
    return bertha::test::step("cudaGetDeviceProperties");
}
inline cudaError_t cudaGetDevice(int* device) {
    *device = bertha::test::script.device;
    return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int device) {
    const cudaError_t error = bertha::test::step("cudaSetDevice");
    if (error == cudaSuccess) bertha::test::script.device = device;
    return error;
}
inline cudaError_t cudaSetDeviceFlags(unsigned) { return bertha::test::step("cudaSetDeviceFlags"); }
inline cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
    *available = 5;
    *total = 7;
    return cudaSuccess;
}
inline cudaError_t cudaMalloc(void** pointer, size_t bytes) {
    *pointer = std::malloc(bytes);
    return bertha::test::step("cudaMalloc");
}
inline cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
    *pointer = std::malloc(bytes);
    return bertha::test::step("cudaMallocHost");
}
inline cudaError_t cudaFree(void* pointer) {
    std::free(pointer);
    return cudaSuccess;
}
inline cudaError_t cudaFreeHost(void* pointer) { return cudaFree(pointer); }
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = reinterpret_cast<cudaStream_t>(1);
    return bertha::test::step("cudaStreamCreate");
}
inline cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaStreamQuery(cudaStream_t stream) {
    bertha::test::script.queried = stream;
    const cudaError_t error = bertha::test::step("cudaStreamQuery");
    return error == cudaSuccess && !bertha::test::script.is_ready ? cudaErrorNotReady : error;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return bertha::test::step("cudaStreamSynchronize"); }
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
    std::memcpy(to, from, bytes);
    return bertha::test::step("cudaMemcpyAsync");
}
inline cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute attribute, int value) {
    const bool is_size = attribute == cudaFuncAttributeMaxDynamicSharedMemorySize;
    return bertha::test::step((is_size ? "shared memory " : "carveout ") + std::to_string(value));
}
inline cudaError_t cudaLaunchKernel(const void*, dim3, dim3, void**, size_t, cudaStream_t) {
    return bertha::test::step("cudaLaunchKernel");
}
