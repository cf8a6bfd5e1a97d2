// How single ops read their arguments.
#pragma once

#include <initializer_list>
#include <utility>
#include <vector>

#include "addon/args.h"
#include "addon/program_reader.h"
#include "cpu/kernels.h"
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

// The arguments of pooling and of its gradient: x [tokens,width], cuSeqlens, width, modes, skip | null.
struct PoolCall {
    explicit PoolCall(const Napi::CallbackInfo& info)
        : x(to_floats(info[0], "x")),
          width(size_arg(info, 2, "width")),
          offsets(sequence_offsets(info[1], static_cast<int64_t>(x.size()) / width)),
          modes(to_array(info[3], "modes")),
          skip(to_int32s_or_empty(info[4], "skip")) {
        if (!skip.empty()) check_count(skip.size(), static_cast<int64_t>(sequences()), "skip");
    }

    size_t sequences() const { return offsets.size() - 1; }
    // use(args, i, mode) for each mode of each sequence i; what is made is left to it.
    template <typename Use>
    void for_each(Use&& use) const {
        for (size_t i = 0; i < sequences(); i++) {
            cpu::PoolArgs args;
            args.width = width;
            args.input = x.data() + offsets[i] * width;
            args.seq_len = offsets[i + 1] - offsets[i];
            args.skip = skip.empty() ? 0 : skip[i];
            for (uint32_t mode = 0; mode < modes.Length(); mode++) {
                args.mode = pool_mode_from(to_string(modes.Get(mode), "a pooling mode"));
                use(args, i, mode);
            }
        }
    }

    std::vector<float> x;
    int64_t width;
    std::vector<int32_t> offsets;
    Napi::Array modes;
    std::vector<int32_t> skip;
};

// An object of arrays by their names.
using NamedFloats = std::pair<const char*, const std::vector<float>&>;
inline Napi::Object object_of(Napi::Env env, std::initializer_list<NamedFloats> arrays) {
    Napi::Object object = Napi::Object::New(env);
    for (const auto& [name, values] : arrays)
        object.Set(name, from_floats(env, values.data(), values.size()));
    return object;
}

}  // namespace bertha::addon
