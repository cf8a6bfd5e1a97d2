// Forwards run with denormals flushed to zero, so that a stray 1e-40 does not cost a hundred cycles. The
// thread's own setting comes back afterwards: JavaScript never sees it.
#pragma once

#include <cstdint>

namespace bertha {

class FlushDenormals {
public:
#if defined(__x86_64__)
    FlushDenormals() : saved_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(saved_ | 0x8040u); }
    ~FlushDenormals() { __builtin_ia32_ldmxcsr(saved_); }
#else
    FlushDenormals() = default;
    ~FlushDenormals() {}
#endif
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__x86_64__)
    uint32_t saved_;
#endif
};

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace bertha
