// runtime.cu on the host: what it makes of every error, what it remembers, how it waits.   runtime_test
#include <cstdio>
#include <functional>
#include <utility>

#include "cuda/runtime.cu"
#include "script.h"

namespace bertha::test {
namespace {

int next_device = 0;
const auto kStream = reinterpret_cast<cuda::Stream>(uintptr_t{40});
const auto kKernel = reinterpret_cast<const void*>(uintptr_t{80});

// A device that no case has used before: what is lost stays lost.
void fresh_device() {
    script = {};
    cuda::use_device(++next_device);
    script.calls.clear();
}

// The code of the error that `body` throws, and whether it mentions `part`; "" when it throws nothing.
std::string code_of(const std::function<void()>& body, const std::string& part = "") {
    try {
        body();
        return "";
    } catch (const Error& error) {
        const bool found = std::string(error.what()).find(part) != std::string::npos;
        return found ? error.code() : error.code() + ", but: " + error.what();
    }
}
std::string expect(bool holds, const std::string& what) { return holds ? "" : what + "; "; }

void launch(size_t shared_bytes) {
    cuda::Grid grid;
    grid.shared_bytes = shared_bytes;
    cuda::launch_kernel("kernel", kKernel, nullptr, grid, kStream, nullptr);
}

std::string every_fatal_error_loses_the_device() {
    std::string problems;
    for (cudaError_t error :
         {cudaErrorIllegalAddress, cudaErrorLaunchTimeout, cudaErrorAssert, cudaErrorHardwareStackError,
          cudaErrorIllegalInstruction, cudaErrorMisalignedAddress, cudaErrorInvalidAddressSpace, cudaErrorInvalidPc,
          cudaErrorLaunchFailure, cudaErrorTensorMemoryLeak, cudaErrorContained, cudaErrorMpsClientTerminated,
          cudaErrorExternalDevice, cudaErrorECCUncorrectable, cudaErrorNvlinkUncorrectable}) {
        fresh_device();
        script.failures["cudaStreamSynchronize"] = error;
        const std::string name = "error " + std::to_string(error);
        problems += expect(code_of([] { cuda::wait_for(kStream); }, "cudaStreamSynchronize") == "DEVICE_LOST", name);
        problems += expect(cuda::is_lost(next_device) && !cuda::is_lost(next_device + 1), name + " loses another device");
        problems += expect(code_of([] { cuda::use_device(next_device); }) == "DEVICE_LOST", name + " is forgotten");
    }
    return problems;
}

std::string another_error_loses_the_device_when_its_stream_fails_too() {
    std::string problems;
    for (cudaError_t error : {cudaErrorUnknown, cudaErrorContextIsDestroyed, cudaErrorInvalidValue, cudaErrorLaunchOutOfResources}) {
        fresh_device();
        script.failures["cudaLaunchKernel"] = error;
        problems += expect(code_of([] { launch(0); }) == "DEVICE" && !cuda::is_lost(next_device), "a stream that works");
        problems += expect(script.queried == kStream, "the call's own stream is asked");
        script.is_ready = false;
        script.failures["cudaLaunchKernel"] = error;
        problems += expect(code_of([] { launch(0); }) == "DEVICE" && !cuda::is_lost(next_device), "a stream that is busy");
        script.failures = {{"cudaLaunchKernel", error}, {"cudaStreamQuery", cudaErrorUnknown}};
        problems += expect(code_of([] { launch(0); }) == "DEVICE_LOST" && cuda::is_lost(next_device), "a stream that fails");
    }
    return problems;
}

std::string a_busy_device_is_not_lost() {
    script = {};
    script.failures = {{"cudaSetDevice", cudaErrorDevicesUnavailable}, {"cudaStreamQuery", cudaErrorDevicesUnavailable}};
    const int device = ++next_device;
    std::string problems = expect(code_of([&] { cuda::use_device(device); }, "busy") == "DEVICE", "busy at the first call");
    problems += expect(!cuda::is_lost(device), "lost at the first call");
    script.failures = {{"cudaSetDevice", cudaErrorInvalidDevice}, {"cudaStreamQuery", cudaErrorInvalidDevice}};
    problems += expect(code_of([&] { cuda::use_device(device); }) == "DEVICE" && !cuda::is_lost(device),
                       "a device that was never in use");
    script.failures.clear();
    script.calls.clear();
    cuda::use_device(device);
    problems += expect(count_of("cudaSetDeviceFlags") == 1, "the way to wait is set when the device is there at last");
    cuda::use_device(device);
    return problems + expect(count_of("cudaSetDeviceFlags") == 1, "and once");
}

std::string short_memory_tells_bytes() {
    fresh_device();
    script.failures["cudaMalloc"] = cudaErrorMemoryAllocation;
    return expect(code_of([] { cuda::allocate_device(3); }, "expected 3 bytes, 5 of the device's 7 are free") == "DEVICE_OOM" &&
                      !cuda::is_lost(next_device),
                  "cudaMalloc");
}

std::string shared_memory_is_asked_for_until_it_was_granted() {
    fresh_device();
    script.failures["shared memory 65536"] = cudaErrorInvalidValue;
    std::string problems = expect(code_of([] { launch(65536); }) == "DEVICE", "the refusal is told");
    problems += expect(count_of("cudaLaunchKernel") == 0, "nothing is launched without");
    script.failures["carveout 100"] = cudaErrorNotSupported;
    problems += expect(code_of([] { launch(65536); }) == "DEVICE" && count_of("shared memory 65536") == 2, "it asks again");
    launch(65536);
    launch(65536);
    launch(32768);
    problems += expect(count_of("shared memory 65536") == 3 && count_of("carveout 100") == 2, "then once");
    launch(98304);
    problems += expect(count_of("shared memory 98304") == 1, "and for more");
    fresh_device();
    launch(65536);
    problems += expect(count_of("shared memory 65536") == 1, "and on each device");
    fresh_device();
    launch(32768);
    problems += expect(count_of("carveout 100") == 1 && script.calls.size() == 2, "32 KB need the carveout alone");
    fresh_device();
    launch(64);
    return problems + expect(script.calls.size() == 1, "64 bytes need nothing");
}

std::string waiting_knows_done_busy_and_failed() {
    fresh_device();
    std::string problems = expect(cuda::is_done(kStream), "done");
    script.is_ready = false;
    problems += expect(!cuda::is_done(kStream), "not yet");
    script.failures["cudaStreamQuery"] = cudaErrorLaunchFailure;
    problems += expect(code_of([] { cuda::is_done(kStream); }) == "DEVICE_LOST", "failed meanwhile");
    fresh_device();
    script.failures["cudaStreamSynchronize"] = cudaErrorLaunchFailure;
    cuda::settle(kStream);
    return problems + expect(count_of("cudaStreamSynchronize") == 1 && !cuda::is_lost(next_device), "settle tells nothing");
}

}  // namespace
}  // namespace bertha::test

int main() {
    using namespace bertha::test;
    const std::pair<const char*, std::string (*)()> cases[] = {
        {"every fatal error loses the device", every_fatal_error_loses_the_device},
        {"another error loses the device when its stream fails too", another_error_loses_the_device_when_its_stream_fails_too},
        {"a busy device is not lost", a_busy_device_is_not_lost},
        {"short memory tells bytes", short_memory_tells_bytes},
        {"shared memory is asked for until it was granted", shared_memory_is_asked_for_until_it_was_granted},
        {"waiting knows done, busy and failed", waiting_knows_done_busy_and_failed},
    };
    int passes = 0, failures = 0;
    for (const auto& [name, body] : cases) {
        std::string problem;
        try {
            problem = body();
        } catch (const std::exception& error) {
            problem = error.what();
        }
        problem.empty() ? passes++ : failures++;
        if (!problem.empty()) std::printf("FAIL %s: %s\n", name, problem.c_str());
    }
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 ? 1 : 0;
}
