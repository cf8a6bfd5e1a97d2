// What decides how the kernels for Hopper are to be written, one part a run:   probe bits | rates | launches | waits | barrier | clusters
//   bits      wgmma and mma.sync on the same operands: how many results differ; does each swizzle lie where probe_layout.h says
//   rates     TFLOP/s of mma.sync and of wgmma alone, bytes per second of a copy
//   launches  us of a kernel: to queue it, in a stream, in a graph, each without and with programmatic edges
//   waits     us that the caller learns later than the device is done: asleep, spinning, polling
//   barrier   us of a barrier across all blocks, one an SM, through global memory
//   clusters  how many clusters of 2, 4 and 8 blocks with 200 KB each are resident, us of their barrier
// Lines of JSON; exit 1 on an error. Parts that need compute capability 9.0 say "skipped" elsewhere.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda/probe_products.cuh"
#include "cuda/stopwatch.h"

namespace bertha::probe {
namespace {

void check(cudaError_t error, const char* call) {
    if (error != cudaSuccess) throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(error));
}
#define BERTHA_CALL(call) check((call), #call)

template <typename T>
class Array {
public:
    explicit Array(size_t count) : count_(count) { BERTHA_CALL(cudaMalloc(&data_, count * sizeof(T))); }
    explicit Array(const std::vector<T>& values) : Array(values.size()) {
        BERTHA_CALL(cudaMemcpy(data_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
    }
    Array(const Array&) = delete;
    ~Array() { cudaFree(data_); }
    T* data() const { return data_; }
    std::vector<T> read() const {
        std::vector<T> values(count_);
        BERTHA_CALL(cudaMemcpy(values.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
        return values;
    }

private:
    T* data_ = nullptr;
    size_t count_;
};

cudaDeviceProp facts() {
    cudaDeviceProp properties{};
    BERTHA_CALL(cudaGetDeviceProperties(&properties, 0));
    return properties;
}

bool is_hopper(const char* part) {
    const cudaDeviceProp device = facts();
    if (device.major == 9 && device.minor == 0) return true;
    std::printf("{\"probe\": \"%s\", \"skipped\": true, \"capability\": %d}\n", part, 10 * device.major + device.minor);
    return false;
}

double median(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

// Median of the device's time for one call of `queue`, which is called `times` times a measurement.
double median_us(const std::function<void()>& queue, int times, int measurements = 11) {
    test::Stopwatch stopwatch;
    stopwatch.microseconds(queue, times);
    std::vector<double> each;
    for (int i = 0; i < measurements; i++) each.push_back(stopwatch.microseconds(queue, times) / times);
    BERTHA_CALL(cudaGetLastError());
    return median(each);
}

constexpr int kPairs = 100;  // of operands, each with 1,024 results

template <typename T, Swizzle kSwizzle>
void compare_bits(const char* type, int k, const std::function<float()>& draw, const char* what) {
    std::vector<T> a(size_t{kPairs} * 64 * k), b(size_t{kPairs} * 16 * k);
    for (auto* operand : {&a, &b})
        for (T& value : *operand) value = static_cast<T>(draw());
    const Array<T> a_device(a), b_device(b);
    const Array<float> mma(size_t{kPairs} * 1024), wgmma(size_t{kPairs} * 1024);
    bits_kernel<T, kSwizzle><<<kPairs, 128>>>(a_device.data(), b_device.data(), k, mma.data(), wgmma.data());
    BERTHA_CALL(cudaDeviceSynchronize());
    const std::vector<float> one = mma.read(), other = wgmma.read();
    size_t different = 0;
    double worst = 0.0;
    for (size_t i = 0; i < one.size(); i++) {
        if (std::memcmp(&one[i], &other[i], sizeof(float)) == 0) continue;
        different++;
        worst = std::max(worst, std::fabs(static_cast<double>(one[i]) - other[i]) / std::max(1e-30, std::fabs(static_cast<double>(one[i]))));
    }
    std::printf(
        "{\"probe\": \"bits\", \"operands\": \"%s\", \"type\": \"%s\", \"swizzle\": %d, \"k\": %d, \"values\": %zu, \"different\": %zu, "
        "\"largest_relative\": %.3g}\n",
        what, type, kSwizzle == Swizzle::kNone ? 0 : row_bytes(kSwizzle), k, one.size(), different, std::min(worst, 1e30));
    std::fflush(stdout);
}

void bits() {
    if (!is_hopper("bits")) return;
    std::mt19937 engine(1);
    // Small integers are exact whatever the rounding: a difference here means that an operand is not where it should be.
    const auto integer = [&] { return static_cast<float>(static_cast<int>(engine() % 17) - 8); };
    compare_bits<__nv_bfloat16, Swizzle::kNone>("bf16", 64, integer, "integers");
    compare_bits<__nv_bfloat16, Swizzle::k32>("bf16", 64, integer, "integers");
    compare_bits<__nv_bfloat16, Swizzle::k64>("bf16", 64, integer, "integers");
    compare_bits<__nv_bfloat16, Swizzle::k128>("bf16", 64, integer, "integers");
    std::normal_distribution<float> normal;
    const auto alike = [&] { return normal(engine); };
    const auto wide = [&] { return std::ldexp(normal(engine), static_cast<int>(engine() % 13) - 6); };  // of all sizes
    for (int k : {64, 384, 1024}) {
        compare_bits<__nv_bfloat16, Swizzle::k128>("bf16", k, alike, "normal");
        compare_bits<__nv_bfloat16, Swizzle::k128>("bf16", k, wide, "wide");
        compare_bits<__half, Swizzle::k128>("fp16", k, alike, "normal");
        compare_bits<__half, Swizzle::k128>("fp16", k, wide, "wide");
    }
}

__global__ void __launch_bounds__(512) copy_kernel(const uint4* from, uint4* to, int64_t count) {
    const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) to[i] = from[i];
}

void print_rate(const char* what, double us, double flops) {
    std::printf("{\"probe\": \"rates\", \"what\": \"%s\", \"us\": %.2f, \"tflops\": %.4g}\n", what, us, flops / us / 1e6);
    std::fflush(stdout);
}

void rates() {
    const cudaDeviceProp device = facts();
    const int sms = device.multiProcessorCount;
    std::mt19937 engine(1);
    std::normal_distribution<float> normal;
    std::vector<__nv_bfloat16> values((2 * 64 + 256) * 64);  // random: zeros draw less power and run faster
    for (auto& value : values) value = __float2bfloat16(normal(engine));
    const Array<__nv_bfloat16> operands(values);
    const Array<float> out(static_cast<size_t>(2 * sms) * kMmaThreads);
    constexpr int kRounds = 4096;
    const double mma_us = median_us(
        [&] { mma_rate_kernel<<<2 * sms, kMmaThreads>>>(reinterpret_cast<const uint32_t*>(operands.data()), kRounds, out.data()); }, 1);
    print_rate("mma", mma_us, 2.0 * sms * (kMmaThreads / 32) * kRounds * kMmaProducts * 2.0 * 16 * 8 * 16);
    const size_t bytes = size_t{512} << 20;
    const Array<uint4> from(bytes / 16), to(bytes / 16);
    BERTHA_CALL(cudaMemset(from.data(), 0x5a, bytes));
    const double copy_us = median_us([&] { copy_kernel<<<8 * sms, 512>>>(from.data(), to.data(), static_cast<int64_t>(bytes / 16)); }, 2);
    std::printf("{\"probe\": \"rates\", \"what\": \"copy\", \"us\": %.2f, \"gigabytes_per_second\": %.0f}\n", copy_us, 2 * bytes / copy_us / 1e3);
    std::fflush(stdout);
    if (!is_hopper("rates")) return;
    BERTHA_CALL(cudaFuncSetAttribute(wgmma_rate_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kWgmmaShared));
    const double wgmma_us = median_us(
        [&] { wgmma_rate_kernel<<<sms, kWgmmaThreads, kWgmmaShared>>>(reinterpret_cast<const uint4*>(operands.data()), kRounds, out.data()); }, 1);
    print_rate("wgmma", wgmma_us, sms * 2.0 * kRounds * 2.0 * 64 * 256 * 64);
}

// As small as a kernel of one text; with edges it lets the next one begin at once and waits for the last one's stores.
template <bool kEdges>
__global__ void __launch_bounds__(128) touch_kernel(float* values) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    if constexpr (kEdges) {
        asm volatile("griddepcontrol.launch_dependents;");
        asm volatile("griddepcontrol.wait;" ::: "memory");
    }
#endif
    const int i = blockIdx.x * 128 + threadIdx.x;
    values[i] = values[i] * 0.5f + 1.0f;
}

void queue_touch(bool edges, int blocks, float* values, cudaStream_t stream) {
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(blocks));
    config.blockDim = dim3(128);
    config.stream = stream;
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    config.attrs = &attribute;
    config.numAttrs = edges ? 1 : 0;
    BERTHA_CALL(edges ? cudaLaunchKernelEx(&config, touch_kernel<true>, values) : cudaLaunchKernelEx(&config, touch_kernel<false>, values));
}

void launches() {
    using Clock = std::chrono::steady_clock;
    const cudaDeviceProp device = facts();
    const int blocks = device.multiProcessorCount;
    constexpr int kKernels = 64;  // about as many as one text of MiniLM takes
    const Array<float> values(static_cast<size_t>(blocks) * 128);
    cudaStream_t stream = nullptr;
    BERTHA_CALL(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    for (const bool edges : {false, true}) {
        if (edges && device.major < 9) continue;
        const auto queue = [&] { queue_touch(edges, blocks, values.data(), stream); };
        std::vector<double> queued, in_stream, in_graph;
        cudaEvent_t begin, end;
        BERTHA_CALL(cudaEventCreate(&begin));
        BERTHA_CALL(cudaEventCreate(&end));
        cudaGraph_t graph = nullptr;
        cudaGraphExec_t ready = nullptr;
        BERTHA_CALL(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
        for (int i = 0; i < kKernels; i++) queue();
        BERTHA_CALL(cudaStreamEndCapture(stream, &graph));
        BERTHA_CALL(cudaGraphInstantiate(&ready, graph, 0));
        const auto device_us = [&](const std::function<void()>& work) {
            BERTHA_CALL(cudaEventRecord(begin, stream));
            work();
            BERTHA_CALL(cudaEventRecord(end, stream));
            BERTHA_CALL(cudaEventSynchronize(end));
            float milliseconds = 0.0f;
            BERTHA_CALL(cudaEventElapsedTime(&milliseconds, begin, end));
            return 1e3 * milliseconds / kKernels;
        };
        for (int i = 0; i < 60; i++) {
            in_stream.push_back(device_us([&] {
                const auto start = Clock::now();
                for (int j = 0; j < kKernels; j++) queue();
                queued.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / kKernels);
            }));
            in_graph.push_back(device_us([&] { BERTHA_CALL(cudaGraphLaunch(ready, stream)); }));
        }
        for (const auto& [how, times] : {std::pair{"queued", &queued}, std::pair{"stream", &in_stream}, std::pair{"graph", &in_graph}})
            std::printf("{\"probe\": \"launches\", \"how\": \"%s\", \"programmatic\": %s, \"us\": %.3f}\n", how, edges ? "true" : "false",
                        median(*times));
        std::fflush(stdout);
        cudaGraphExecDestroy(ready);
        cudaGraphDestroy(graph);
        cudaEventDestroy(begin);
        cudaEventDestroy(end);
    }
    cudaStreamDestroy(stream);
}

__global__ void busy_kernel(int64_t cycles, int64_t* out) {
    const int64_t begin = clock64();
    while (clock64() - begin < cycles) {
    }
    out[0] = begin;
}

void waits() {
    using Clock = std::chrono::steady_clock;
    BERTHA_CALL(cudaSetDeviceFlags(cudaDeviceScheduleSpin));
    const Array<int64_t> out(1);
    constexpr int64_t kCycles = 100000;  // 50 to 70 us
    const double device_us = median_us([&] { busy_kernel<<<1, 1>>>(kCycles, out.data()); }, 1);
    cudaEvent_t asleep, spinning;
    BERTHA_CALL(cudaEventCreateWithFlags(&asleep, cudaEventBlockingSync | cudaEventDisableTiming));
    BERTHA_CALL(cudaEventCreateWithFlags(&spinning, cudaEventDisableTiming));
    const std::function<void()> ways[] = {
        [&] {
            BERTHA_CALL(cudaEventRecord(asleep));
            BERTHA_CALL(cudaEventSynchronize(asleep));
        },
        [&] {
            BERTHA_CALL(cudaEventRecord(spinning));
            BERTHA_CALL(cudaEventSynchronize(spinning));
        },
        [&] {
            cudaError_t state = cudaErrorNotReady;
            while (state == cudaErrorNotReady) state = cudaStreamQuery(nullptr);
            BERTHA_CALL(state);
        },
    };
    const char* names[] = {"sleep", "spin", "poll"};
    for (int way = 0; way < 3; way++) {
        std::vector<double> late;
        for (int i = 0; i < 210; i++) {
            const auto begin = Clock::now();
            busy_kernel<<<1, 1>>>(kCycles, out.data());
            ways[way]();
            if (i >= 10) late.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count() - device_us);
        }
        std::sort(late.begin(), late.end());
        std::printf("{\"probe\": \"waits\", \"how\": \"%s\", \"us\": %.2f, \"us_of_the_slowest_tenth\": %.2f}\n", names[way],
                    late[late.size() / 2], late[late.size() * 9 / 10]);
        std::fflush(stdout);
    }
    cudaEventDestroy(asleep);
    cudaEventDestroy(spinning);
}

// All blocks meet `phases` times: each adds one to `arrived` and waits for all to have. A block that waits for a second gives up.
__global__ void barrier_kernel(unsigned* arrived, unsigned* gave_up, int phases) {
    __shared__ bool is_stuck;
    for (int phase = 1; phase <= phases; phase++) {
        __syncthreads();
        if (threadIdx.x == 0) {
            const unsigned all = gridDim.x * phase;
            const int64_t begin = clock64();
            asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(arrived) : "memory");
            unsigned seen = 0;
            while (seen < all && clock64() - begin < 2000000000)
                asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(arrived) : "memory");
            is_stuck = seen < all;
            if (is_stuck) *gave_up = 1;
        }
        __syncthreads();
        if (is_stuck) return;
    }
}

void barrier() {
    const int blocks = facts().multiProcessorCount;
    constexpr int kPhases = 1000;
    const Array<unsigned> counters(std::vector<unsigned>(2, 0));
    unsigned *arrived = counters.data(), *gave_up = counters.data() + 1;
    int phases = kPhases;
    void* arguments[] = {&arrived, &gave_up, &phases};
    const double us = median_us(
        [&] {
            BERTHA_CALL(cudaMemsetAsync(arrived, 0, sizeof(unsigned)));
            BERTHA_CALL(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(barrier_kernel), dim3(static_cast<unsigned>(blocks)), dim3(256),
                                                    arguments, 0, nullptr));
        },
        1);
    if (counters.read()[1] != 0) throw std::runtime_error("a block waited for a second at the barrier");
    std::printf("{\"probe\": \"barrier\", \"blocks\": %d, \"us\": %.3f}\n", blocks, us / kPhases);
}

// Each block hands its number to the next one of its cluster through distributed shared memory, `phases` times.
__global__ void __launch_bounds__(384) cluster_kernel(int phases, int* received) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    __shared__ int mailbox;
    unsigned rank = 0, size = 0, remote = 0;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(shared_address(&mailbox)), "r"((rank + 1) % size));
    const auto meet = [] {
        asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
        asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
    };
    meet();
    for (int phase = 0; phase < phases; phase++) {
        if (threadIdx.x == 0) asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(remote), "r"(rank + 1) : "memory");
        meet();
    }
    if (threadIdx.x == 0) received[blockIdx.x] = mailbox;
#endif
}

void clusters() {
    if (!is_hopper("clusters")) return;
    constexpr int kPhases = 1000, kShared = 200 * 1024;
    BERTHA_CALL(cudaFuncSetAttribute(cluster_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kShared));
    for (int size : {2, 4, 8}) {
        cudaLaunchAttribute attribute{};
        attribute.id = cudaLaunchAttributeClusterDimension;
        attribute.val.clusterDim = {static_cast<unsigned>(size), 1, 1};
        cudaLaunchConfig_t config{};
        config.gridDim = dim3(static_cast<unsigned>(size));
        config.blockDim = dim3(384);
        config.dynamicSmemBytes = kShared;
        config.attrs = &attribute;
        config.numAttrs = 1;
        int resident = 0;
        BERTHA_CALL(cudaOccupancyMaxActiveClusters(&resident, cluster_kernel, &config));
        if (resident == 0) throw std::runtime_error("no cluster fits");
        const int blocks = resident * size;
        config.gridDim = dim3(static_cast<unsigned>(blocks));
        const Array<int> received(std::vector<int>(static_cast<size_t>(blocks), 0));
        const double us = median_us([&] { BERTHA_CALL(cudaLaunchKernelEx(&config, cluster_kernel, kPhases, received.data())); }, 1);
        int wrong = 0;
        const std::vector<int> from = received.read();
        for (int i = 0; i < blocks; i++) wrong += from[static_cast<size_t>(i)] != (i % size + size - 1) % size + 1;
        std::printf("{\"probe\": \"clusters\", \"size\": %d, \"resident\": %d, \"us\": %.3f, \"wrong\": %d}\n", size, resident, us / kPhases, wrong);
        std::fflush(stdout);
    }
}

}  // namespace
}  // namespace bertha::probe

int main(int count, char** arguments) {
    using namespace bertha::probe;
    const std::pair<const char*, void (*)()> parts[] = {{"bits", bits},   {"rates", rates},     {"launches", launches},
                                                        {"waits", waits}, {"barrier", barrier}, {"clusters", clusters}};
    for (const auto& [name, part] : parts) {
        if (count != 2 || std::strcmp(arguments[1], name) != 0) continue;
        try {
            part();
            return 0;
        } catch (const std::exception& error) {
            std::printf("FAIL %s: %s\n", name, error.what());
            return 1;
        }
    }
    std::printf("expected one of bits, rates, launches, waits, barrier, clusters\n");
    return 2;
}
