// Runs a CUDA grid on the host, one fiber per CUDA thread, to prove kernels without a GPU. It is stricter than
// a GPU: every shared and global access is checked against its bounds, fresh shared memory is NaN, copies may
// complete as late as the program allows, and threads run in any order asked for.
//
// Not modelled: memory ordering between blocks, register pressure, time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

namespace bertha::emulator {

// A mistake of the kernel: what, by which thread, at which line.
class Fault : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// When an asynchronous copy takes place: at its issue; when its group is waited for (never, without a wait);
// at a random moment between the two.
enum class Async { kAtOnce, kLate, kRandom };
// In which order the threads of a block go on whenever several could.
enum class Order { kForward, kReverse, kRandom };

// How mma adds up: product by product, each sum rounded to fp32; or as published of the tensor cores of Turing,
// Ampere and Ada, or of Hopper and Blackwell (tensor_core.h).
enum class TensorCore { kPlain, kAmpere, kHopper };

struct Options {
    Async async = Async::kAtOnce;
    Order order = Order::kForward;
    uint32_t seed = 1;
    bool count_accesses = false;
    TensorCore tensor_core = TensorCore::kPlain;
};

// Of the calling host thread's launches.
Options& options();

// A place in a kernel's source.
struct Site {
    const char* file = "";
    int line = 0;
    // As a default argument: where the function was called.
    static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return {file, line};
    }
    bool operator<(const Site& other) const;
};

// What one line of a kernel did in memory, summed over warps. Wavefronts: passes through shared memory, or
// 32-byte sectors of global memory; `ideal` is the least that so many bytes need.
struct AccessCount {
    int64_t instructions = 0;
    int64_t wavefronts = 0;
    int64_t ideal = 0;
};
struct AccessCounts {
    std::map<Site, AccessCount> shared;
    std::map<Site, AccessCount> global;
};
// Of the calling host thread's launches since the last clear().
AccessCounts& access_counts();

struct GridSize {
    int x = 1, y = 1, z = 1;
};

// Runs body(params) as every thread of every block. Throws Fault.
void run_grid(GridSize grid, int block_threads, size_t shared_bytes, void (*body)(const void*), const void* params);

}  // namespace bertha::emulator
