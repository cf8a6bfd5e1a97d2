#include "cuda-emulator/runtime_emulated.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "cuda-emulator/emulator.h"
#include "cuda/launch.h"
#include "engine/check.h"

namespace bertha {
namespace emulator {
namespace {

std::atomic<int64_t> calls{0}, fail_at{0}, total_calls{0};
std::atomic<int> failure{0};
std::atomic<bool> lost{false};
std::mutex mutex;
std::map<void*, size_t> blocks;
std::set<const char*> launched;
int64_t bytes_used = 0;
std::map<cuda::Stream, int64_t> queued;  // pieces of work by stream
std::atomic<int64_t> held_questions{0}, questions{0}, waits{0};
bool keeps_names = false;
std::vector<std::string> launch_names;

int64_t environment(const char* name, int64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr || *text == '\0' ? otherwise : std::atoll(text);
}

}  // namespace

int64_t fail_call(int64_t n, Failure kind) {
    failure = static_cast<int>(kind);
    const int64_t made = calls.exchange(0);
    fail_at = n;
    return made;
}
int64_t device_bytes() {
    const std::lock_guard<std::mutex> lock(mutex);
    return bytes_used;
}
void revive_devices() { lost = false; }
int64_t queued_work() {
    const std::lock_guard<std::mutex> lock(mutex);
    int64_t all = 0;
    for (const auto& [stream, pieces] : queued) all += pieces;
    return all;
}
void hold_streams(int64_t n) { held_questions = n; }
Waiting take_waiting() { return {questions.exchange(0), waits.exchange(0)}; }
std::vector<std::string> take_launch_names() {
    const std::lock_guard<std::mutex> lock(mutex);
    keeps_names = true;
    return std::exchange(launch_names, {});
}

void note_launch(const char* launch_function) {
    const std::lock_guard<std::mutex> lock(mutex);
    launched.insert(launch_function);
}
std::set<std::string> take_launches() {
    std::set<const char*> functions;
    {
        const std::lock_guard<std::mutex> lock(mutex);
        functions.swap(launched);
    }
    std::set<std::string> kernels;
    for (const std::string name : functions) {
        // GCC: "[with Params = ...; void (* kKernel)(Params) = KERNEL; Stream = ...]"; clang: "[Params = ..., kKernel = &KERNEL]".
        const std::string::size_type begin = name.find(" = ", name.find("kKernel"));
        std::string kernel = name.substr(begin + 3, name.find_first_of(";]", begin) - begin - 3);
        for (const char* space : {"bertha::cuda::", "{anonymous}::", "(anonymous namespace)::", "&"})
            for (auto at = kernel.find(space); at != std::string::npos; at = kernel.find(space))
                kernel.erase(at, std::strlen(space));
        kernels.insert(kernel);
    }
    return kernels;
}

namespace {

void note_queued(cuda::Stream stream) {
    const std::lock_guard<std::mutex> lock(mutex);
    queued[stream]++;
}
void note_done(cuda::Stream stream) {
    const std::lock_guard<std::mutex> lock(mutex);
    queued.erase(stream);
}

int64_t memory_bytes() { return environment("BERTHA_EMULATED_MEMORY", int64_t{16} << 30); }

[[noreturn]] void out_of_memory(const char* name, size_t bytes) {
    fail("DEVICE_OOM", "%s: expected %zu bytes, %lld of the device's %lld are free", name, bytes,
         static_cast<long long>(memory_bytes() - device_bytes()), static_cast<long long>(memory_bytes()));
}

// Counts a runtime call and fails it if it is the one to fail.
void call(const char* name, size_t bytes = 0) {
    const auto wished_to_fail = [] {
        static std::mutex wish_mutex;
        static std::string wish;
        const std::lock_guard<std::mutex> lock(wish_mutex);
        const char* current = std::getenv("BERTHA_EMULATED_FAIL");
        if (current == nullptr) current = "";
        if (wish != current) {  // a new wish counts anew, on a device that works
            wish = current;
            total_calls = 0;
            lost = false;
        }
        return ++total_calls == std::atoll(wish.c_str());
    }();
    BERTHA_CHECK(!lost, "DEVICE_LOST", "%s: the device was lost by an earlier error; restart the process", name);
    Failure kind = static_cast<Failure>(failure.load());
    bool fails = ++calls == fail_at;
    if (wished_to_fail) {
        fails = true;
        kind = std::strstr(std::getenv("BERTHA_EMULATED_FAIL"), "oom") != nullptr ? Failure::kOutOfMemory
                                                                                 : Failure::kLost;
    }
    if (!fails) return;
    if (kind == Failure::kOutOfMemory) out_of_memory(name, bytes);
    lost = kind == Failure::kLost;
    fail(lost ? "DEVICE_LOST" : "DEVICE", "%s: cudaErrorLaunchFailure: this call was told to fail", name);
}

void* allocate(const char* name, size_t bytes) {
    call(name, bytes);
    if (device_bytes() + static_cast<int64_t>(bytes) > memory_bytes()) out_of_memory(name, bytes);
    void* block = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (block == nullptr) out_of_memory(name, bytes);
    std::memset(block, 0xff, bytes);  // NaN: nobody may read what nobody wrote
    const std::lock_guard<std::mutex> lock(mutex);
    blocks[block] = bytes;
    bytes_used += static_cast<int64_t>(bytes);
    return block;
}
void release(void* block) noexcept {
    if (block == nullptr) return;
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = blocks.find(block);
    if (found == blocks.end()) return;
    bytes_used -= static_cast<int64_t>(found->second);
    blocks.erase(found);
    std::free(block);
}

}  // namespace
}  // namespace emulator

namespace cuda {
using emulator::call;
using emulator::environment;
using emulator::memory_bytes;

bool is_lost(int) { return emulator::lost; }

DriverFacts driver_facts() {
    static std::once_flag asked;  // as cuInit, which takes its time once
    std::call_once(asked,
                   [] { std::this_thread::sleep_for(std::chrono::milliseconds(environment("BERTHA_EMULATED_INIT_MS", 0))); });
    constexpr int kRuntime = 13000;
    const auto version = static_cast<int>(environment("BERTHA_EMULATED_DRIVER", kRuntime));
    return {version, kRuntime, version < kRuntime, static_cast<int>(environment("BERTHA_EMULATED_DEVICES", 1)), ""};
}
DeviceFacts device_facts(int device) {
    const char* list = std::getenv("BERTHA_EMULATED_CAPABILITY");
    for (int i = 0; list != nullptr && i < device && std::strchr(list, ',') != nullptr; i++)
        list = std::strchr(list, ',') + 1;
    return {"emulated device", list == nullptr || *list == '\0' ? 80 : std::atoi(list), memory_bytes()};
}
void use_device(int) { call("cudaSetDevice"); }
void* allocate_device(size_t bytes) { return emulator::allocate("cudaMalloc", bytes); }
void free_device(void* pointer) noexcept { emulator::release(pointer); }
void* allocate_pinned(size_t bytes) { return emulator::allocate("cudaMallocHost", bytes); }
void free_pinned(void* pointer) noexcept { emulator::release(pointer); }
Stream create_stream() {
    static std::atomic<uintptr_t> streams{0};
    call("cudaStreamCreate");
    return reinterpret_cast<Stream>(++streams);
}
void destroy_stream(Stream stream) noexcept { emulator::note_done(stream); }
void copy_to_device(void* device, const void* host, size_t bytes, Stream stream) {
    call("cudaMemcpyAsync");
    emulator::note_queued(stream);
    std::memcpy(device, host, bytes);
}
void copy_to_host(void* host, const void* device, size_t bytes, Stream stream) {
    call("cudaMemcpyAsync");
    emulator::note_queued(stream);
    std::memcpy(host, device, bytes);
}
bool is_done(Stream stream) {
    emulator::questions++;
    call("cudaStreamQuery");
    if (emulator::held_questions > 0 && --emulator::held_questions > 0) return false;
    emulator::note_done(stream);
    return true;
}
void wait_for(Stream stream) {
    emulator::waits++;
    call("cudaStreamSynchronize");
    emulator::note_done(stream);
}
void settle(Stream stream) noexcept { emulator::note_done(stream); }

void launch_kernel(const char* name, const void*, void (*emulated)(const void*), const Grid& grid, Stream stream,
                   const void* params) {
    call(name);
    {
        const std::lock_guard<std::mutex> lock(emulator::mutex);
        emulator::queued[stream]++;
        if (emulator::keeps_names) emulator::launch_names.emplace_back(name);
    }
    try {
        emulator::run_grid({grid.x, grid.y, grid.z}, grid.threads, grid.shared_bytes, emulated, params);
    } catch (const emulator::Fault& fault) {
        fail("INTERNAL", "%s: %s", name, fault.what());
    }
}

}  // namespace cuda
}  // namespace bertha
