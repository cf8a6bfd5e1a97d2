// The device's own time for what was queued on its default stream: CUDA events, or the clock in the emulator, which runs at once.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#ifdef BERTHA_CUDA_EMULATED
#include <chrono>
#else
#include <cuda_runtime.h>
#endif

namespace bertha::test {

#ifdef BERTHA_CUDA_EMULATED
class Stopwatch {
public:
    // Microseconds of `times` calls of `queue`, from the begin of the first one's work to the end of the last one's.
    double microseconds(const std::function<void()>& queue, int times) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < times; i++) queue();
        return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
    }
};
#else
class Stopwatch {
public:
    Stopwatch() {
        check(cudaEventCreate(&begin_));
        check(cudaEventCreate(&end_));
    }
    Stopwatch(const Stopwatch&) = delete;
    ~Stopwatch() {
        cudaEventDestroy(begin_);
        cudaEventDestroy(end_);
    }
    double microseconds(const std::function<void()>& queue, int times) {
        check(cudaEventRecord(begin_));
        for (int i = 0; i < times; i++) queue();
        check(cudaEventRecord(end_));
        check(cudaEventSynchronize(end_));
        float milliseconds = 0.0f;
        check(cudaEventElapsedTime(&milliseconds, begin_, end_));
        return 1e3 * milliseconds;
    }

private:
    static void check(cudaError_t error) {
        if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA events: ") + cudaGetErrorString(error));
    }
    cudaEvent_t begin_ = nullptr, end_ = nullptr;
};
#endif

}  // namespace bertha::test
