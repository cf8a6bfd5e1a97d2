// How single ops read their arguments.
#pragma once

#include <vector>

#include "addon/args.h"
#include "engine/check.h"

namespace bertha::addon {

// Optional arrays come as null.
struct Floats {
    std::vector<float> values;
    bool present = false;
    const float* data() const { return present ? values.data() : nullptr; }
};

inline Floats optional_floats(const Napi::Value& value, const char* name) {
    if (value.IsNull() || value.IsUndefined()) return {};
    return {to_floats(value, name), true};
}

inline void check_count(size_t count, int64_t expected, const char* name) {
    BERTHA_CHECK(static_cast<int64_t>(count) == expected, "INVALID_ARG",
                 "expected %lld values in %s, got %zu", static_cast<long long>(expected), name, count);
}

inline int64_t size_arg(const Napi::CallbackInfo& info, size_t i, const char* name) {
    return to_int(info[i], name, 1, int64_t{1} << 30);
}

inline float float_arg(const Napi::CallbackInfo& info, size_t i, const char* name) {
    return static_cast<float>(to_double(info[i], name));
}

inline std::vector<int32_t> sequence_offsets(const Napi::Value& value, int64_t tokens) {
    std::vector<int32_t> offsets = to_int32s(value, "cuSeqlens");
    BERTHA_CHECK(!offsets.empty() && offsets.front() == 0 && offsets.back() == tokens, "INVALID_ARG",
                 "cuSeqlens must go from 0 to %lld", static_cast<long long>(tokens));
    for (size_t i = 1; i < offsets.size(); i++)
        BERTHA_CHECK(offsets[i] > offsets[i - 1], "INVALID_ARG", "cuSeqlens must rise");
    return offsets;
}

}  // namespace bertha::addon
