// Each function of ptx.cuh against what the PTX manual says of its instruction, bit for bit. Operands are small integers, whose products and
// sums are exact in any order and rounding, so that the emulator and every GPU must agree. And gelu.cuh over every 16-bit value.
//   instructions_test [--tensor-core NAME]      plain, ampere or hopper: how the emulator's mma rounds
#include <cstring>

#include "cuda/check.h"
#include "cuda/device/gelu.cuh"
#include "cuda/device/ptx.cuh"

namespace bertha::test {
namespace {

using namespace cuda;

constexpr int kLanes = 32;

struct Params {
    Global<const uint16_t> input;
    Global<const float> floats;
    Global<uint32_t> output;
    Global<float> sums;
};

// a [16, 16] and b [16, 8] from `input`, d [16, 8] to `sums`, on top of what `floats` holds.
template <typename T>
__global__ void multiply_kernel(Params p) {
    const int g = ptx::lane_id() / 4, t = ptx::lane_id() % 4;
    const auto pair = [&](int at, int step) {
        return static_cast<uint32_t>(p.input.load(at)) | static_cast<uint32_t>(p.input.load(at + step)) << 16;
    };
    uint32_t a[4], b[2];
    for (int i = 0; i < 4; i++) a[i] = pair((g + 8 * (i % 2)) * 16 + 2 * t + 8 * (i / 2), 1);
    for (int i = 0; i < 2; i++) b[i] = pair(256 + (2 * t + 8 * i) * 8 + g, 8);
    float d[4];
    for (int i = 0; i < 4; i++) d[i] = p.floats.load((g + 8 * (i / 2)) * 8 + 2 * t + i % 2);
    ptx::multiply_add<T>(d, a, b);
    for (int i = 0; i < 4; i++) p.sums.store((g + 8 * (i / 2)) * 8 + 2 * t + i % 2, d[i]);
}

// Row r of matrix i lies in line (5 * (8 i + r)) % 32 of shared memory.
template <bool kTransposed>
__global__ void matrices_kernel(Params p) {
    const Shared<uint16_t> shared = ptx::shared_memory<uint16_t>().part(0, kLanes * 8);
    const int lane = ptx::lane_id();
    for (int i = 0; i < 8; i++) shared.store(lane * 8 + i, p.input.load(lane * 8 + i));
    ptx::sync_warp();
    uint32_t r[4];
    const int line = 5 * lane % 32;
    if constexpr (kTransposed)
        ptx::load_matrices_transposed(r, shared, line * 8);
    else
        ptx::load_matrices(r, shared, line * 8);
    for (int i = 0; i < 4; i++) p.output.store(lane * 4 + i, r[i]);
}

// Lane i copies min(2 i, 16) bytes of its 16; two groups, both waited for.
__global__ void copy_kernel(Params p) {
    const Shared<uint16_t> shared = ptx::shared_memory<uint16_t>().part(0, kLanes * 8);
    const int lane = ptx::lane_id();
    const int bytes = lane < 8 ? 2 * lane : 16;
    for (int half = 0; half < 2; half++) {
        if (lane / 16 == half)
            ptx::copy_async(shared.address(lane * 8, 8), p.input.address(lane * 8, bytes / 2), bytes);
        ptx::commit_copies();
    }
    ptx::wait_copies<0>();
    ptx::sync_warp();
    for (int i = 0; i < 4; i++)
        p.output.store(lane * 4 + i, static_cast<uint32_t>(shared.load(lane * 8 + 2 * i)) |
                                         static_cast<uint32_t>(shared.load(lane * 8 + 2 * i + 1)) << 16);
}

__global__ void round_kernel(Params p) {
    const float x = p.floats.load(ptx::lane_id());
    p.output.store(ptx::lane_id(), ptx::from_float<Half>(x).bits);
    p.output.store(kLanes + ptx::lane_id(), ptx::from_float<Bfloat16>(x).bits);
    p.sums.store(ptx::lane_id(), ptx::to_float(ptx::from_float<Half>(x)));
    p.sums.store(kLanes + ptx::lane_id(), ptx::to_float(ptx::from_float<Bfloat16>(x)));
}

__global__ void max_kernel(Params p) {
    p.sums.store(ptx::lane_id(), ptx::max_or_nan(p.floats.load(ptx::lane_id()), 0.0f));
}

__global__ void warp_kernel(Params p) {
    const float x = p.floats.load(ptx::lane_id());
    p.sums.store(ptx::lane_id(), ptx::shuffle_xor(x, 5));
    p.sums.store(32 + ptx::lane_id(), ptx::shuffle(x, 9));
    p.sums.store(64 + ptx::lane_id(), ptx::warp_sum(x));
    p.sums.store(96 + ptx::lane_id(), ptx::warp_max(x));
    p.sums.store(128 + ptx::lane_id(), ptx::exp2_approx(x));
}

// GELU of every value of type T, as an output of that type is computed, before it is rounded.
template <typename T>
__global__ void gelu_kernel(Params p) {
    const int bits = ptx::block_x() * kLanes + ptx::lane_id();
    p.sums.store(bits, gelu<T>(ptx::to_float(T{static_cast<uint16_t>(bits)})));
}

struct Result {
    std::vector<uint32_t> output;
    std::vector<float> sums;
};

template <void (*kKernel)(Params)>
Result run(const std::vector<uint16_t>& input, const std::vector<float>& floats) {
    const DeviceArray<uint16_t> a(input);
    const DeviceArray<float> b(floats), sums(std::vector<float>(160, 0.0f));
    const DeviceArray<uint32_t> output(std::vector<uint32_t>(160, 0));
    Grid grid;
    grid.shared_bytes = kLanes * 16;
    launch<Params, kKernel>("instruction", grid, nullptr,
                            {{a.data(), a.count()},
                             {b.data(), b.count()},
                             {const_cast<uint32_t*>(output.data()), output.count()},
                             {const_cast<float*>(sums.data()), sums.count()}});
    Result result{std::vector<uint32_t>(160), std::vector<float>(160)};
    copy_to_host(result.output.data(), output.data(), 160 * 4, nullptr);
    copy_to_host(result.sums.data(), sums.data(), 160 * 4, nullptr);
    wait_for(nullptr);
    return result;
}

template <typename T>
std::string same(const std::vector<T>& actual, const std::vector<T>& expected) {
    for (size_t i = 0; i < expected.size(); i++)
        if (std::memcmp(&actual[i], &expected[i], sizeof(T)) != 0)
            return "value " + std::to_string(i) + ": expected " + std::to_string(expected[i]) + ", got " + std::to_string(actual[i]);
    return "";
}

template <typename T>
std::string check_multiply(Type type) {
    std::vector<uint16_t> input;
    std::vector<float> floats, expected;
    std::mt19937 engine(3);
    const auto small = [&] { return static_cast<float>(static_cast<int>(engine() % 17) - 8); };
    std::vector<float> values;
    for (int i = 0; i < 256 + 128; i++) {
        values.push_back(small());
        input.push_back(bits_of(type, values.back()));
    }
    for (int i = 0; i < 128; i++) floats.push_back(small());
    for (int row = 0; row < 16; row++)
        for (int column = 0; column < 8; column++) {
            float sum = floats[static_cast<size_t>(row * 8 + column)];
            for (int k = 0; k < 16; k++)
                sum += values[static_cast<size_t>(row * 16 + k)] * values[static_cast<size_t>(256 + k * 8 + column)];
            expected.push_back(sum);
        }
    return same(run<multiply_kernel<T>>(input, floats).sums, expected);
}

// The product of the operands exchanged has the same bits: what linear_small.cu stands on. Values of any size, whose sums are rounded.
template <typename T>
std::string check_exchange(Type type) {
    std::mt19937 engine(5);
    const auto values = random_floats(256 + 128 + 128, 4);
    const auto any = [&](size_t i) { return std::ldexp(values[i], static_cast<int>(engine() % 13) - 6); };
    std::vector<uint16_t> input;
    std::vector<float> d;
    for (size_t i = 0; i < 256 + 128; i++) input.push_back(bits_of(type, any(i)));
    for (size_t i = 0; i < 128; i++) d.push_back(any(384 + i));
    const std::vector<float> whole = run<multiply_kernel<T>>(input, d).sums;
    std::string problem;
    for (size_t half = 0; half < 2; half++) {  // 8 rows of a as the second operand, b's 8 columns as the first
        std::vector<uint16_t> exchanged(256 + 128, 0);
        std::vector<float> sums(128, 0.0f), expected(64);
        for (size_t i = 0; i < 8; i++)
            for (size_t j = 0; j < 16; j++) {
                exchanged[i * 16 + j] = input[256 + j * 8 + i];
                exchanged[256 + j * 8 + i] = input[(8 * half + i) * 16 + j];
            }
        for (size_t row = 0; row < 8; row++)
            for (size_t column = 0; column < 8; column++) {
                sums[column * 8 + row] = d[(8 * half + row) * 8 + column];
                expected[column * 8 + row] = whole[(8 * half + row) * 8 + column];
            }
        problem += same(run<multiply_kernel<T>>(exchanged, sums).sums, expected);
    }
    return problem;
}

template <bool kTransposed>
std::string check_matrices() {
    std::vector<uint16_t> input;
    for (int i = 0; i < kLanes * 8; i++) input.push_back(static_cast<uint16_t>(i));
    std::vector<uint32_t> expected;
    const auto element = [](int matrix, int row, int column) {
        const int line = 5 * (8 * matrix + row) % 32;
        return static_cast<uint32_t>(kTransposed ? 5 * (8 * matrix + column) % 32 * 8 + row : line * 8 + column);
    };
    for (int lane = 0; lane < kLanes; lane++)
        for (int matrix = 0; matrix < 4; matrix++)
            expected.push_back(element(matrix, lane / 4, lane % 4 * 2) | element(matrix, lane / 4, lane % 4 * 2 + 1) << 16);
    return same(run<matrices_kernel<kTransposed>>(input, {}).output, expected);
}

std::string check_copies() {
    std::vector<uint16_t> input;
    for (int i = 0; i < kLanes * 8; i++) input.push_back(static_cast<uint16_t>(i + 1));
    std::vector<uint32_t> expected;
    for (int lane = 0; lane < kLanes; lane++)
        for (int i = 0; i < 4; i++) {
            const int valid = lane < 8 ? lane : 8;
            const auto at = [&](int j) { return j < valid ? static_cast<uint32_t>(lane * 8 + j + 1) : 0u; };
            expected.push_back(at(2 * i) | at(2 * i + 1) << 16);
        }
    return same(run<copy_kernel>(input, {}).output, expected);
}

std::string check_rounding() {
    struct Case {
        float x;
        uint32_t half, bfloat;
    };
    const Case cases[] = {
        {1.0f, 0x3c00, 0x3f80},          {-0.0f, 0x8000, 0x8000},         {65504.0f, 0x7bff, 0x4780},
        {65519.0f, 0x7bff, 0x4780},      {65520.0f, 0x7c00, 0x4780},      {0x1p-24f, 0x0001, 0x3380},
        {0x1p-25f, 0x0000, 0x3300},      {0x1.8p-25f, 0x0001, 0x3340},    {1 + 0x1p-11f, 0x3c00, 0x3f80},
        {1 + 0x3p-11f, 0x3c02, 0x3f80},  {1 + 0x1p-8f, 0x3c04, 0x3f80},   {1 + 0x3p-8f, 0x3c0c, 0x3f82},
        {-1.5f, 0xbe00, 0xbfc0},         {0x1p-14f, 0x0400, 0x3880},      {INFINITY, 0x7c00, 0x7f80},
        {-INFINITY, 0xfc00, 0xff80},
    };
    std::vector<float> floats(32, 0.0f), back(64, 0.0f);
    std::vector<uint32_t> expected(64, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        floats[i] = cases[i].x;
        expected[i] = cases[i].half;
        expected[32 + i] = cases[i].bfloat;
        back[i] = value_of(Type::kHalf, static_cast<uint16_t>(cases[i].half));
        back[32 + i] = value_of(Type::kBfloat16, static_cast<uint16_t>(cases[i].bfloat));
    }
    const Result result = run<round_kernel>({}, floats);
    return same(result.output, expected) + same(result.sums, back);
}

std::string check_warp() {
    std::vector<float> floats, expected(128);
    for (int i = 0; i < 32; i++) floats.push_back(static_cast<float>(i * 7 % 32 - 16));
    float sum = 0.0f, most = -INFINITY;
    for (float x : floats) {
        sum += x;
        most = std::fmax(most, x);
    }
    for (size_t i = 0; i < 32; i++) {
        expected[i] = floats[i ^ 5];
        expected[32 + i] = floats[9];
        expected[64 + i] = sum;
        expected[96 + i] = most;
    }
    const Result result = run<warp_kernel>({}, floats);
    std::string problem = same(result.sums, expected);
    for (size_t i = 0; i < 32; i++)  // 2 ulp is all that the manual promises
        if (std::fabs(result.sums[128 + i] - std::exp2(floats[i])) > std::exp2(floats[i]) * 0x1p-22f) problem += "exp2 of " + std::to_string(floats[i]);
    floats.assign(32, -INFINITY);
    const Result least = run<warp_kernel>({}, floats);
    floats = {NAN, 1.0f, -2.0f, INFINITY, -INFINITY};
    floats.resize(32);
    const std::vector<float> larger = run<max_kernel>({}, floats).sums;
    const bool is_larger = std::isnan(larger[0]) && larger[1] == 1.0f && larger[2] == 0.0f && larger[3] == INFINITY && larger[4] == 0.0f;
    return problem + (least.sums[128] == 0.0f ? "" : "exp2 of -infinity is not 0") + (is_larger ? "" : "max_or_nan");
}

// The bound that gelu.cuh derives, and the values where there is nothing to derive: NaN, the infinities.
template <typename T>
std::string check_gelu(Type type) {
    constexpr int kValues = 65536;
    const DeviceArray<float> device(std::vector<float>(kValues, 0.0f));
    Grid grid;
    grid.x = kValues / kLanes;
    launch<Params, gelu_kernel<T>>("gelu", grid, nullptr, {{}, {}, {}, {const_cast<float*>(device.data()), device.count()}});
    std::vector<float> actual(kValues);
    copy_to_host(actual.data(), device.data(), kValues * sizeof(float), nullptr);
    wait_for(nullptr);
    for (int bits = 0; bits < kValues; bits++) {
        const double x = value_of(type, static_cast<uint16_t>(bits)), y = actual[static_cast<size_t>(bits)];
        const double expected = x == -INFINITY ? 0.0 : 0.5 * x * std::erfc(-x / std::sqrt(2.0));
        const double bound = x < -5.75 ? 2.6e-8 : std::fabs(expected) * std::exp2(-13.7) + 0x1p-126;
        const bool is_right = std::isfinite(x) || x == -INFINITY ? std::fabs(y - expected) <= bound : std::isnan(x) ? std::isnan(y) : y == x;
        if (!is_right) return "GELU of " + std::to_string(x) + ": expected " + std::to_string(expected) + ", got " + std::to_string(y);
    }
    return "";
}

}  // namespace
}  // namespace bertha::test

int main(int count, char** arguments) {
    using namespace bertha::test;
    if (count > 2 && std::strcmp(arguments[1], "--tensor-core") == 0) choose_tensor_core(arguments[2]);
    run_case("mma fp16", [] { return check_multiply<Half>(Type::kHalf); });
    if (device_facts(0).capability >= 80) run_case("mma bf16", [] { return check_multiply<Bfloat16>(Type::kBfloat16); });
    run_case("mma fp16, operands exchanged", [] { return check_exchange<Half>(Type::kHalf); });
    if (device_facts(0).capability >= 80) run_case("mma bf16, operands exchanged", [] { return check_exchange<Bfloat16>(Type::kBfloat16); });
    run_case("ldmatrix", check_matrices<false>);
    run_case("ldmatrix transposed", check_matrices<true>);
    run_case("cp.async", check_copies);
    run_case("rounding", check_rounding);
    run_case("shuffles, sums, exp2, max", check_warp);
    run_case("GELU of every fp16 value", [] { return check_gelu<Half>(Type::kHalf); });
    run_case("GELU of every bf16 value", [] { return check_gelu<Bfloat16>(Type::kBfloat16); });
    std::printf("%d passed, %d failed\n", passes, failures);
    return failures > 0 || passes == 0 ? 1 : 0;
}
