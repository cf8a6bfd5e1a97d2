// What the tests of the CUDA kernels share: seeded values, device tensors, comparison with float64.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "cuda/kernels/kernels.h"
#ifdef BERTHA_CUDA_EMULATED
#include "cuda-emulator/emulator.h"
#endif

namespace bertha::test {

using cuda::Floats;
using cuda::Ints;
using cuda::Tensor;
using cuda::Type;

inline int failures = 0, passes = 0;
// Times that each case runs; all must give the same bits.
inline int repeats = 1;
// Fills fresh device memory with NaN, as the emulator does, so that results nobody wrote are seen.
inline bool poisons = true;
// Of all that was read from the device since it was set to 0.
inline uint64_t digest = 0;

inline void note_bits(const std::vector<uint8_t>& bytes) {
    for (uint8_t byte : bytes) digest = (digest ^ byte) * 0x100000001b3u;
}

inline void report(bool passed, const std::string& name, const std::string& what) {
    passed ? passes++ : failures++;
    if (!passed) std::printf("FAIL %s: %s\n", name.c_str(), what.c_str());
}

// Runs a case; an exception is a failure.
inline void run_case(const std::string& name, const std::function<std::string()>& body) {
    std::string problem;
    try {
        uint64_t first = 0;
        for (int i = 0; i < repeats && problem.empty(); i++) {
            digest = 0;
            problem = body();
            if (i == 0) first = digest;
            if (problem.empty() && digest != first) problem = "other bits the " + std::to_string(i + 1) + ". time";
        }
    } catch (const std::exception& error) {
        problem = error.what();
    }
    report(problem.empty(), name, problem);
}

inline std::vector<float> random_floats(size_t count, uint32_t seed, float deviation = 1.0f, float mean = 0.0f) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = normal(engine);
    return values;
}

inline double unit_roundoff(Type type) {
    return type == Type::kFloat ? 0x1p-24 : type == Type::kHalf ? 0x1p-11 : 0x1p-8;
}
inline const char* type_name(Type type) {
    return type == Type::kFloat ? "fp32" : type == Type::kHalf ? "fp16" : "bf16";
}

inline uint16_t bits_of(Type type, float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    if (type == Type::kBfloat16) return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    const float size = std::fabs(x);
    const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
    if (size < 0x1p-14f) return static_cast<uint16_t>(sign | static_cast<int>(std::nearbyint(size * 0x1p24f)));
    int exponent;
    const float fraction = std::frexp(size, &exponent);
    const auto mantissa = static_cast<int>(std::nearbyint(fraction * 2048.0f));
    return static_cast<uint16_t>(sign | (((exponent + 14) << 10) + mantissa - 1024));
}
inline float value_of(Type type, uint16_t bits) {
    if (type == Type::kBfloat16) {
        const uint32_t wide = uint32_t{bits} << 16;
        float x;
        std::memcpy(&x, &wide, 4);
        return x;
    }
    const int exponent = bits >> 10 & 31;
    const float fraction = static_cast<float>(bits & 0x3ff);
    const float size = exponent == 0    ? std::ldexp(fraction, -24)
                       : exponent == 31 ? (fraction > 0.0f ? NAN : INFINITY)
                                        : std::ldexp(1024.0f + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
}
inline float round_to(Type type, float x) { return type == Type::kFloat ? x : value_of(type, bits_of(type, x)); }

inline std::vector<float> rounded(Type type, std::vector<float> values) {
    for (float& value : values) value = round_to(type, value);
    return values;
}

// --tensor-core NAME: how the emulator's mma adds up. A failure for another name, and on a
// device, which has its own way.
inline void choose_tensor_core([[maybe_unused]] const std::string& name) {
#ifdef BERTHA_CUDA_EMULATED
    using emulator::TensorCore;
    for (const auto& [known, core] : {std::pair{"plain", TensorCore::kPlain}, std::pair{"ampere", TensorCore::kAmpere},
                                      std::pair{"hopper", TensorCore::kHopper}})
        if (name == known) {
            emulator::options().tensor_core = core;
            return;
        }
#endif
    report(false, "--tensor-core " + name, "expected plain, ampere or hopper, in the emulator");
}

// Device memory that lives as long as this.
class DeviceBlock {
public:
    explicit DeviceBlock(size_t bytes) : data_(cuda::allocate_device(bytes < 16 ? 16 : bytes)) {
        const std::vector<uint8_t> poison(poisons ? bytes : 0, 0xff);
        if (!poison.empty()) cuda::copy_to_device(data_, poison.data(), poison.size(), nullptr);
        cuda::wait_for(nullptr);
    }
    DeviceBlock(const DeviceBlock&) = delete;
    ~DeviceBlock() { cuda::free_device(data_); }
    void* data() const { return data_; }

private:
    void* data_;
};

// A matrix on the device whose padding is NaN, as fresh device memory is in the emulator.
class DeviceTensor {
public:
    DeviceTensor(int64_t rows, int32_t width, Type type)
        : tensor_{nullptr, rows, width, (width + 7) / 8 * 8, type},
          block_(static_cast<size_t>(tensor_.elements() * bytes_of(type))) {
        tensor_.data = block_.data();
    }
    DeviceTensor(const std::vector<float>& values, int64_t rows, int32_t width, Type type)
        : DeviceTensor(rows, width, type) {
        std::vector<uint8_t> host(static_cast<size_t>(tensor_.elements() * bytes_of(type)), 0xff);
        for (int64_t row = 0; row < rows; row++)
            for (int32_t column = 0; column < width; column++) {
                const float x = values[static_cast<size_t>(row * width + column)];
                const auto at = static_cast<size_t>(row * tensor_.stride + column);
                if (type == Type::kFloat) reinterpret_cast<float*>(host.data())[at] = x;
                else reinterpret_cast<uint16_t*>(host.data())[at] = bits_of(type, x);
            }
        if (!host.empty()) cuda::copy_to_device(tensor_.data, host.data(), host.size(), nullptr);
    }
    const Tensor& tensor() const { return tensor_; }
    std::vector<float> read() const {
        // The padding of a row is nobody's: it need not have been written, so it is not read.
        const int64_t row_bytes = tensor_.stride * bytes_of(tensor_.type);
        std::vector<uint8_t> host(static_cast<size_t>(tensor_.rows * row_bytes));
        for (int64_t row = 0; row < tensor_.rows; row++)
            cuda::copy_to_host(host.data() + row * row_bytes, static_cast<uint8_t*>(tensor_.data) + row * row_bytes,
                               static_cast<size_t>(tensor_.width * bytes_of(tensor_.type)), nullptr);
        cuda::wait_for(nullptr);
        std::vector<float> values;
        for (int64_t row = 0; row < tensor_.rows; row++)
            for (int32_t column = 0; column < tensor_.width; column++) {
                const auto at = static_cast<size_t>(row * tensor_.stride + column);
                values.push_back(tensor_.type == Type::kFloat
                                     ? reinterpret_cast<float*>(host.data())[at]
                                     : value_of(tensor_.type, reinterpret_cast<uint16_t*>(host.data())[at]));
            }
        std::vector<uint8_t> bytes(values.size() * sizeof(float));
        if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
        note_bits(bytes);
        return values;
    }

private:
    Tensor tensor_;
    DeviceBlock block_;
};

template <typename T>
class DeviceArray {
public:
    explicit DeviceArray(const std::vector<T>& values, size_t padded = 0)
        : count_(std::max(values.size(), padded)), block_(count_ * sizeof(T)) {
        std::vector<uint8_t> host(count_ * sizeof(T), 0xff);  // the padding is NaN
        if (!values.empty()) std::memcpy(host.data(), values.data(), values.size() * sizeof(T));
        if (!host.empty()) cuda::copy_to_device(block_.data(), host.data(), host.size(), nullptr);
        cuda::wait_for(nullptr);
    }
    const T* data() const { return static_cast<const T*>(block_.data()); }
    int64_t count() const { return static_cast<int64_t>(count_); }

private:
    size_t count_;
    DeviceBlock block_;
};

// A bias or LayerNorm vector, padded to a multiple of 8 as the backend's are.
class DeviceVector : public DeviceArray<float> {
public:
    explicit DeviceVector(const std::vector<float>& values)
        : DeviceArray<float>(values, (values.size() + 7) / 8 * 8) {}
    Floats floats() const { return {data(), count()}; }
};
class DeviceInts : public DeviceArray<int32_t> {
public:
    using DeviceArray<int32_t>::DeviceArray;
    Ints ints() const { return {data(), count()}; }
};

// "" when every actual value is within its tolerance, else the worst place.
inline std::string compare(const std::vector<float>& actual, const std::vector<double>& expected,
                           const std::function<double(size_t)>& tolerance) {
    if (actual.size() != expected.size())
        return "expected " + std::to_string(expected.size()) + " values, got " + std::to_string(actual.size());
    double worst = 1.0;
    std::string problem;
    for (size_t i = 0; i < actual.size(); i++) {
        const double ratio = std::fabs(actual[i] - expected[i]) / tolerance(i);
        if (ratio <= worst) continue;
        worst = std::isnan(ratio) ? INFINITY : ratio;
        problem = "value " + std::to_string(i) + ": expected " + std::to_string(expected[i]) + ", got " +
                  std::to_string(actual[i]) + ", " + std::to_string(worst) + " x the tolerance";
    }
    for (size_t i = 0; i < actual.size() && problem.empty(); i++)
        if (std::isnan(actual[i]) && !std::isnan(expected[i])) problem = "value " + std::to_string(i) + " is NaN";
    return problem;
}

}  // namespace bertha::test
