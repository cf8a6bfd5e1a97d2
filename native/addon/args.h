// Reading JavaScript arguments: each function checks and names what it reads. Copies, so that a caller may
// change, transfer or detach its arrays right after the call.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "engine/check.h"

namespace bertha::addon {

inline Napi::Value get(const Napi::Object& object, const char* key) { return object.Get(key); }

inline bool has(const Napi::Object& object, const char* key) {
    const Napi::Value value = object.Get(key);
    return !value.IsUndefined() && !value.IsNull();
}

inline std::string to_string(const Napi::Value& value, const char* name) {
    BERTHA_CHECK(value.IsString(), "INVALID_ARG", "expected a string for %s", name);
    return value.As<Napi::String>().Utf8Value();
}

inline int64_t to_int(const Napi::Value& value, const char* name) {
    BERTHA_CHECK(value.IsNumber(), "INVALID_ARG", "expected a number for %s", name);
    const double number = value.As<Napi::Number>().DoubleValue();
    BERTHA_CHECK(number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
                     number == static_cast<double>(static_cast<int64_t>(number)),
                 "INVALID_ARG", "expected a whole number for %s, got %g", name, number);
    return static_cast<int64_t>(number);
}

inline int64_t to_int(const Napi::Value& value, const char* name, int64_t low, int64_t high) {
    const int64_t number = to_int(value, name);
    BERTHA_CHECK(number >= low && number <= high, "INVALID_ARG", "expected %lld to %lld for %s, got %lld",
                 static_cast<long long>(low), static_cast<long long>(high), name,
                 static_cast<long long>(number));
    return number;
}

inline double to_double(const Napi::Value& value, const char* name) {
    BERTHA_CHECK(value.IsNumber(), "INVALID_ARG", "expected a number for %s", name);
    return value.As<Napi::Number>().DoubleValue();
}

inline Napi::Object to_object(const Napi::Value& value, const char* name) {
    BERTHA_CHECK(value.IsObject(), "INVALID_ARG", "expected an object for %s", name);
    return value.As<Napi::Object>();
}

inline Napi::Array to_array(const Napi::Value& value, const char* name) {
    BERTHA_CHECK(value.IsArray(), "INVALID_ARG", "expected an array for %s", name);
    return value.As<Napi::Array>();
}

template <typename T, napi_typedarray_type kType>
Napi::TypedArrayOf<T> to_typed_array(const Napi::Value& value, const char* name, const char* type_name) {
    BERTHA_CHECK(value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == kType,
                 "INVALID_ARG", "expected %s for %s", type_name, name);
    return value.As<Napi::TypedArrayOf<T>>();
}

template <typename T, napi_typedarray_type kType>
std::vector<T> to_vector(const Napi::Value& value, const char* name, const char* type_name) {
    const auto array = to_typed_array<T, kType>(value, name, type_name);
    return std::vector<T>(array.Data(), array.Data() + array.ElementLength());
}

// The array itself: valid until the call returns, and others may write to it meanwhile.
inline Napi::Int32Array to_int32_array(const Napi::Value& value, const char* name) {
    return to_typed_array<int32_t, napi_int32_array>(value, name, "an Int32Array");
}

inline std::vector<int32_t> to_int32s(const Napi::Value& value, const char* name) {
    return to_vector<int32_t, napi_int32_array>(value, name, "an Int32Array");
}

inline std::vector<int32_t> to_int32s_or_empty(const Napi::Value& value, const char* name) {
    if (value.IsUndefined() || value.IsNull()) return {};
    return to_int32s(value, name);
}

inline std::vector<float> to_floats(const Napi::Value& value, const char* name) {
    return to_vector<float, napi_float32_array>(value, name, "a Float32Array");
}

inline Napi::Float32Array from_floats(Napi::Env env, const float* data, size_t count) {
    Napi::Float32Array array = Napi::Float32Array::New(env, count);
    std::copy(data, data + count, array.Data());
    return array;
}

// An Error with a `code`; TypeScript turns it into a BerthaError.
inline Napi::Error make_error(Napi::Env env, const std::string& code, const std::string& message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", Napi::String::New(env, code));
    return error;
}

// Runs a function body and turns what it throws into a JavaScript exception.
template <typename Function>
auto guarded(Napi::Env env, Function&& function) -> decltype(function()) {
    try {
        return function();
    } catch (const Napi::Error&) {
        throw;
    } catch (const Error& error) {
        throw make_error(env, error.code(), error.what());
    } catch (const std::bad_alloc&) {
        throw make_error(env, "OUT_OF_MEMORY", "the system has no memory left");
    } catch (const std::exception& error) {
        throw make_error(env, "INTERNAL", error.what());
    }
}

// Resolves with what `make` returns or rejects with what it throws: a JavaScript heap that is full, for one.
template <typename Make>
void settle(Napi::Env env, const Napi::Promise::Deferred& deferred, Make&& make) {
    try {
        deferred.Resolve(guarded(env, make));
    } catch (const Napi::Error& error) {
        deferred.Reject(error.Value());
    }
}

}  // namespace bertha::addon
