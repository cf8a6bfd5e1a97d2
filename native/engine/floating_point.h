// Forwards run with denormals flushed to zero, so that a stray 1e-40 does not cost a hundred cycles. The
// thread's own setting comes back afterwards: JavaScript never sees it.
#pragma once

#include <cstdint>

namespace bertha {

class FlushDenormals {
public:
    FlushDenormals() : saved_(read()) { write(saved_ | kFlush); }
    ~FlushDenormals() { write(saved_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__x86_64__)
    using Control = uint32_t;
    static constexpr Control kFlush = 0x8040;  // MXCSR: results (FTZ) and inputs (DAZ)
    static Control read() { return __builtin_ia32_stmxcsr(); }
    static void write(Control control) { __builtin_ia32_ldmxcsr(control); }
#elif defined(__aarch64__)
    using Control = uint64_t;
    static constexpr Control kFlush = 1u << 24;  // FPCR.FZ: results and inputs
    static Control read() {
        Control control;
        __asm__ volatile("mrs %0, fpcr" : "=r"(control));
        return control;
    }
    static void write(Control control) { __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory"); }
#else
    using Control = uint32_t;
    static constexpr Control kFlush = 0;
    static Control read() { return 0; }
    static void write(Control) {}
#endif

    const Control saved_;
};

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    // YIELD does nothing on most processors; ISB waits some tens of cycles.
    __asm__ volatile("isb");
#endif
}

}  // namespace bertha
