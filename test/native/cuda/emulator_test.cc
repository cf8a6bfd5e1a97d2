// The emulator must catch what a GPU may let pass: small kernels, each right or broken in one way.
//   emulator_test
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "cuda-emulator/emulator.h"
#include "cuda-emulator/tensor_core.h"
#include "cuda-emulator/transactions.h"
#include "cuda/launch.h"
#include "cuda/device/ptx.cuh"
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

enum class PipelineBreak {
    kNothing,
    kNoFullWait,     // the last stage is read before its copy came
    kOtherParity,    // for the last stage the phase before is waited for
    kFewBytes,       // fewer bytes are expected than come
    kManyBytes,      // more bytes are expected than come
    kNoEmptyWait,    // a stage is filled before all have read it
    kEarlyRelease,   // one thread says twice that it has read
    kNoSyncOnInit,   // a barrier is used before it was set up
    kShortCopy,      // a bulk copy of an odd size
    kNotWaitedFor    // the block ends while a copy is under way
};
struct PipelineParams {
    Global<const float> input;  // [kSlabs, kThreads]
    Global<float> output;       // [kThreads]
    PipelineBreak broken;
};
constexpr int kSlabs = 6, kRing = 2;

// Sums slabs that come by bulk copies through a ring: thread 0 asks for them, all threads read them.
void pipeline_kernel(PipelineParams p) {
    const auto is = [&](PipelineBreak broken) { return p.broken == broken; };
    const auto site = emulator::Site::here;
    const int thread = ptx::thread_index();
    const Shared<float> ring = ptx::shared_memory<float>().part(0, kRing * kThreads);
    uint64_t* const full = ptx::shared_memory<uint64_t>().address(kRing * kThreads / 2, 2 * kRing);
    uint64_t* const empty = full + kRing;
    const auto produce = [&](int slab) {
        const int stage = slab % kRing, bytes = kThreads * 4;
        if (slab >= kRing && !is(PipelineBreak::kNoEmptyWait))
            emulator::wait_barrier(empty + stage, (slab / kRing + 1) % 2, site(__FILE__, __LINE__));
        const int expected = is(PipelineBreak::kFewBytes) ? bytes / 2 : is(PipelineBreak::kManyBytes) ? 2 * bytes : bytes;
        emulator::arrive_expecting(full + stage, expected, site(__FILE__, __LINE__));
        emulator::copy_bulk(ring.address(stage * kThreads, kThreads), p.input.address(slab * kThreads, kThreads),
                            is(PipelineBreak::kShortCopy) ? bytes - 4 : bytes, full + stage, site(__FILE__, __LINE__));
    };
    if (thread == 0)
        for (int stage = 0; stage < kRing; stage++) {
            emulator::init_barrier(full + stage, 1, site(__FILE__, __LINE__));
            emulator::init_barrier(empty + stage, kThreads, site(__FILE__, __LINE__));
        }
    if (!is(PipelineBreak::kNoSyncOnInit)) ptx::sync_block();
    if (thread == 0)
        for (int slab = 0; slab < kRing; slab++) produce(slab);
    const int read = is(PipelineBreak::kNotWaitedFor) ? kSlabs - 1 : kSlabs;
    float sum = 0.0f;
    for (int slab = 0; slab < read; slab++) {
        const bool last = slab == kSlabs - 1;
        const int stage = slab % kRing, parity = (slab / kRing + (last && is(PipelineBreak::kOtherParity) ? 1 : 0)) % 2;
        if (!(last && is(PipelineBreak::kNoFullWait))) emulator::wait_barrier(full + stage, parity, site(__FILE__, __LINE__));
        sum += ring.load(stage * kThreads + kThreads - 1 - thread);
        emulator::arrive(empty + stage, site(__FILE__, __LINE__));
        if (is(PipelineBreak::kEarlyRelease) && thread == 9) emulator::arrive(empty + stage, site(__FILE__, __LINE__));
        if (thread == 0 && slab + kRing < kSlabs) produce(slab + kRing);
    }
    p.output.store(thread, sum);
}

std::string pipeline_outcome(PipelineBreak broken, Async async, Order order) {
    emulator::options().async = async;
    emulator::options().order = order;
    auto* input = static_cast<float*>(allocate_device(kSlabs * kThreads * 4));
    auto* output = static_cast<float*>(allocate_device(kThreads * 4));
    for (int i = 0; i < kSlabs * kThreads; i++) input[i] = static_cast<float>(i % 31);
    std::string problem;
    try {
        Grid grid;
        grid.threads = kThreads;
        grid.shared_bytes = kRing * kThreads * 4 + 2 * kRing * 8;
        launch<PipelineParams, pipeline_kernel>("pipeline", grid, nullptr,
                                                {{input, kSlabs * kThreads}, {output, kThreads}, broken});
        for (int i = 0; i < kThreads; i++) {
            float expected = 0.0f;
            for (int slab = 0; slab < kSlabs; slab++) expected += input[slab * kThreads + kThreads - 1 - i];
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
template <typename Broken>
void expect_caught(const char* name, std::string (*outcome_of)(Broken, Async, Order), Broken broken, const char* words) {
    std::string all;
    bool found = false;
    for (Async async : {Async::kAtOnce, Async::kLate, Async::kRandom})
        for (Order order : {Order::kForward, Order::kReverse, Order::kRandom}) {
            const std::string problem = outcome_of(broken, async, order);
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

// addend + `count` products of `product` by a tensor core. As product by product, 1 + 2^-24 + 2^-24 ... rounds to 1.
float sum_by(emulator::TensorCore core, float addend, int count, float product) {
    float a[16] = {}, b[16] = {};
    for (int i = 0; i < count; i++) {
        a[i] = 1.0f;
        b[i] = product;
    }
    emulator::options().tensor_core = core;
    const float sum = emulator::multiply_row(a, b, addend);
    emulator::options().tensor_core = emulator::TensorCore::kPlain;
    return sum;
}

void expect_rounding_of_tensor_cores() {
    using emulator::TensorCore;
    const auto check = [](const char* name, TensorCore core, float addend, int count, float product, float expected) {
        const float sum = sum_by(core, addend, count, product);
        expect(sum == expected, name, std::to_string(std::ldexp(sum - expected, 24)) + " x 2^-24 apart");
    };
    check("rounds each sum", TensorCore::kPlain, 1.0f, 16, 0x1p-24f, 1.0f);
    check("Hopper keeps 25 bits below 1", TensorCore::kHopper, 1.0f, 16, 0x1p-25f, 1.0f + 0x1p-21f);
    check("Hopper cuts off 2^-26", TensorCore::kHopper, 1.0f, 16, 0x1p-26f, 1.0f);
    check("Ampere keeps 24 bits below 1", TensorCore::kAmpere, 1.0f, 16, 0x1p-24f, 1.0f + 0x1p-20f);
    check("Ampere cuts off 2^-25", TensorCore::kAmpere, 1.0f, 16, 0x1p-25f, 1.0f);
    check("Ampere cuts its sum off after 8 products", TensorCore::kAmpere, 1.0f, 9, 0x1p-24f, 1.0f + 0x1p-21f);
    check("Hopper adds 16 products before", TensorCore::kHopper, 1.0f, 10, 0x1p-24f, 1.0f + 0x5p-23f);
    check("sums are cut off towards zero", TensorCore::kHopper, 1.0f, 3, 0x1p-24f, 1.0f + 0x1p-23f);
    check("sums below zero as well", TensorCore::kHopper, -1.0f, 3, -0x1p-24f, -1.0f - 0x1p-23f);
    check("terms are cut off towards zero", TensorCore::kHopper, 1.0f, 1, -0x1p-26f, 1.0f);
    check("infinity passes", TensorCore::kHopper, INFINITY, 2, 1.0f, INFINITY);
}

}  // namespace
}  // namespace bertha::test

int main() {
    using namespace bertha::test;
    for (Async async : {Async::kAtOnce, Async::kLate, Async::kRandom})
        for (Order order : {Order::kForward, Order::kReverse, Order::kRandom}) {
            const std::string problem = outcome(Break::kNothing, async, order);
            expect(problem.empty(), "a right kernel passes in every mode", problem);
            const std::string late = pipeline_outcome(PipelineBreak::kNothing, async, order);
            expect(late.empty(), "a right pipeline passes in every mode", late);
        }
    expect_caught("a missing wait", outcome, Break::kNoWait, "a wrong result");
    expect_caught("a missing barrier", outcome, Break::kNoBarrier, "a wrong result");
    expect_caught("a read one element too far", outcome, Break::kOffByOne, "global access to elements 256 .. 257 of 256");
    expect_caught("a shared read one element too far", outcome, Break::kSharedOffByOne, "shared access to elements 256");
    expect_caught("a barrier that some threads skip", outcome, Break::kHalfBarrier, "deadlock");
    expect_caught("a lane that stays away", outcome, Break::kLaneMissing, "waits for its warp at emulator_test.cc:");
    expect_caught("lanes that meet in two places", outcome, Break::kOtherLine, "a lane of its warp is at emulator_test.cc:");
    expect_caught("shared memory that nobody wrote", outcome, Break::kUninitialised, "a wrong result");
    expect_caught("an unaligned copy", outcome, Break::kMisaligned, "not aligned to 16 bytes");
    const auto pipeline = [](const char* name, PipelineBreak broken, const char* words) {
        expect_caught(name, pipeline_outcome, broken, words);
    };
    pipeline("a stage read too early", PipelineBreak::kNoFullWait, "a wrong result");
    pipeline("a wait for the other phase", PipelineBreak::kOtherParity, "ends with a transaction under way");
    pipeline("fewer bytes expected than come", PipelineBreak::kFewBytes, "waits for a barrier in memory at emulator_test.cc:");
    pipeline("more bytes expected than come", PipelineBreak::kManyBytes, "waits for a barrier in memory at emulator_test.cc:");
    pipeline("a stage filled too early", PipelineBreak::kNoEmptyWait, "a wrong result");
    pipeline("a stage released twice", PipelineBreak::kEarlyRelease, "a wrong result");
    pipeline("a barrier used before it is set up", PipelineBreak::kNoSyncOnInit, "a barrier that nobody initialised");
    pipeline("a bulk copy of an odd size", PipelineBreak::kShortCopy, "not multiples of 16 bytes");
    pipeline("a copy that nobody waits for", PipelineBreak::kNotWaitedFor, "ends with a transaction under way");
    expect(wavefronts_of(1) == 1, "neighbours share a pass", std::to_string(wavefronts_of(1)));
    expect(wavefronts_of(32) == 32, "one bank takes 32 passes", std::to_string(wavefronts_of(32)));
    expect(wavefronts_of(2) == 2, "every second bank takes 2 passes", std::to_string(wavefronts_of(2)));
    expect_rounding_of_tensor_cores();
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 ? 1 : 0;
}
