// Errors cross every layer as bertha::Error: a stable code for programs and a message that says what was
// expected and what was got.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

namespace bertha {

class Error : public std::runtime_error {
public:
    Error(std::string code, const std::string& message)
        : std::runtime_error(message), code_(std::move(code)) {}
    const std::string& code() const { return code_; }

private:
    std::string code_;
};

[[noreturn, gnu::format(printf, 2, 3)]] inline void fail(const char* code, const char* format, ...) {
    char message[1024];
    va_list args;
    va_start(args, format);
    std::vsnprintf(message, sizeof message, format, args);
    va_end(args);
    throw Error(code, message);
}

// An error that is kept, to be told on another thread.
struct Failure {
    std::string code;
    std::string message;
};

// What a function threw, or nothing. `no_memory` says what there was no memory for.
template <typename Function>
std::optional<Failure> failure_of(Function&& function,
                                  const char* no_memory = "the system has no memory left") {
    try {
        function();
        return std::nullopt;
    } catch (const Error& error) {
        return Failure{error.code(), error.what()};
    } catch (const std::bad_alloc&) {
        return Failure{"OUT_OF_MEMORY", no_memory};
    } catch (const std::exception& error) {
        return Failure{"INTERNAL", error.what()};
    }
}

}  // namespace bertha

// BERTHA_CHECK(condition, code, format, ...): throws bertha::Error unless the condition holds.
#define BERTHA_CHECK(condition, code, ...)       \
    do {                                         \
        if (!(condition)) {                      \
            ::bertha::fail((code), __VA_ARGS__); \
        }                                        \
    } while (false)
