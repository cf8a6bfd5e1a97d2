// The emulator must catch what a GPU may let pass: small kernels, each right or broken in one way.
//   emulator_test
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "cuda-emulator/emulator.h"
#include "cuda/launch.h"
#include "cuda/ptx.cuh"
#include "engine/check.h"

namespace bertha::test {
namespace {

using namespace cuda;
using emulator::Async;
using emulator::Order;

constexpr int kThreads = 64;

enum class Break {
    kNothing,
    kNoWait,          // a copy is read before it was waited for
    kNoBarrier,       // other threads' copies are read before a barrier
    kOffByOne,        // one element beyond the input
    kSharedOffByOne,  // one element beyond the shared memory
    kHalfBarrier,     // only some threads reach the barrier
    kLaneMissing,     // one lane stays away from a shuffle
    kOtherLine,       // lanes of a warp meet in different places
    kUninitialised,   // shared memory is read that nobody wrote
    kMisaligned       // an asynchronous copy from an odd place
};

struct Params {
    Global<const float> input;  // [kThreads * 4]
    Global<float> output;       // [kThreads]
    Break broken;
};

// Reverses groups of four floats through shared memory, then adds a neighbour's value by a shuffle.
void reverse_kernel(Params p) {
    const Shared<float> shared = ptx::shared_memory<float>().part(0, kThreads * 4);
    const int thread = ptx::thread_index();
    const int shift = p.broken == Break::kOffByOne ? 1 : 0;
    const int from = thread * 4 + (p.broken == Break::kMisaligned ? thread % 2 : 0);
    if (p.broken != Break::kUninitialised || thread != 3)
        ptx::copy_async(shared.address(thread * 4, 4), p.input.address(from, p.broken == Break::kMisaligned ? 1 : 4), 16);
    ptx::commit_copies();
    if (p.broken != Break::kNoWait) ptx::wait_copies<0>();
    if (p.broken == Break::kHalfBarrier ? thread < 32 : p.broken != Break::kNoBarrier) ptx::sync_block();
    const int place = p.broken == Break::kSharedOffByOne ? kThreads * 4 - thread * 4 : (kThreads - 1 - thread) * 4;
    float value = shared.load(place) + p.input.load((thread * 4 + 4 * shift) % (kThreads * 4 + 4 * shift)) * 0.0f;
    if (p.broken == Break::kLaneMissing && thread == 7) {
        p.output.store(thread, value);
        return;
    }
    if (p.broken == Break::kOtherLine && thread % 2 == 1) {
        value += ptx::shuffle_xor(value, 1);
    } else {
        value += ptx::shuffle_xor(value, 1);
    }
    p.output.store(thread, value);
}

// Runs it in one mode; "" when the result is right, else what was wrong.
std::string outcome(Break broken, Async async, Order order) {
    auto& options = emulator::options();
    options.async = async;
    options.order = order;
    auto* input = static_cast<float*>(allocate_device(kThreads * 16));
    auto* output = static_cast<float*>(allocate_device(kThreads * 4));
    for (int i = 0; i < kThreads * 4; i++) input[i] = static_cast<float>(i);
    std::string problem;
    try {
        Grid grid;
        grid.threads = kThreads;
        grid.shared_bytes = kThreads * 16;
        launch<Params, reverse_kernel>("reverse", grid, nullptr, {{input, kThreads * 4}, {output, kThreads}, broken});
        for (int i = 0; i < kThreads; i++) {
            const float expected = static_cast<float>(4 * (kThreads - 1 - i) + 4 * (kThreads - 1 - (i ^ 1)));
            if (!(output[i] == expected)) problem = "a wrong result";
        }
    } catch (const Error& error) {
        problem = error.what();
    }
    free_device(input);
    free_device(output);
    return problem;
}

int failures = 0, passes = 0;
void expect(bool condition, const char* name, const std::string& got) {
    condition ? passes++ : failures++;
    if (!condition) std::printf("FAIL %s: %s\n", name, got.c_str());
}

// Some mode must find the mistake, and its words must say what it is.
void expect_caught(const char* name, Break broken, const char* words) {
    std::string all;
    bool found = false;
    for (Async async : {Async::kAtOnce, Async::kLate, Async::kRandom})
        for (Order order : {Order::kForward, Order::kReverse, Order::kRandom}) {
            const std::string problem = outcome(broken, async, order);
            found = found || problem.find(words) != std::string::npos;
            all += problem + "; ";
        }
    expect(found, name, all);
}

struct StrideParams {
    int stride;
};
void stride_kernel(StrideParams p) {
    ptx::shared_memory<float>().store(ptx::thread_index() * p.stride, 1.0f);
}
int64_t wavefronts_of(int stride) {
    emulator::access_counts() = {};
    emulator::options().count_accesses = true;
    Grid grid;
    grid.shared_bytes = 32 * 32 * 4;
    launch<StrideParams, stride_kernel>("stride", grid, nullptr, {stride});
    emulator::options().count_accesses = false;
    return emulator::access_counts().shared.begin()->second.wavefronts;
}

}  // namespace
}  // namespace bertha::test

int main() {
    using namespace bertha::test;
    for (Async async : {Async::kAtOnce, Async::kLate, Async::kRandom})
        for (Order order : {Order::kForward, Order::kReverse, Order::kRandom}) {
            const std::string problem = outcome(Break::kNothing, async, order);
            expect(problem.empty(), "a right kernel passes in every mode", problem);
        }
    expect_caught("a missing wait", Break::kNoWait, "a wrong result");
    expect_caught("a missing barrier", Break::kNoBarrier, "a wrong result");
    expect_caught("a read one element too far", Break::kOffByOne, "global access to elements 256 .. 257 of 256");
    expect_caught("a shared read one element too far", Break::kSharedOffByOne, "shared access to elements 256");
    expect_caught("a barrier that some threads skip", Break::kHalfBarrier, "deadlock");
    expect_caught("a lane that stays away", Break::kLaneMissing, "waits for its warp at emulator_test.cc:");
    expect_caught("lanes that meet in two places", Break::kOtherLine, "a lane of its warp is at emulator_test.cc:");
    expect_caught("shared memory that nobody wrote", Break::kUninitialised, "a wrong result");
    expect_caught("an unaligned copy", Break::kMisaligned, "not aligned to 16 bytes");
    expect(wavefronts_of(1) == 1, "neighbours share a pass", std::to_string(wavefronts_of(1)));
    expect(wavefronts_of(32) == 32, "one bank takes 32 passes", std::to_string(wavefronts_of(32)));
    expect(wavefronts_of(2) == 2, "every second bank takes 2 passes", std::to_string(wavefronts_of(2)));
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 ? 1 : 0;
}
