// One host stack per CUDA thread, and the switch between them. x86-64 saves the six registers that a call must
// preserve (about 10 ns); elsewhere ucontext does it.
#pragma once

#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace bertha::emulator {

class Fiber {
public:
    using Entry = void (*)(void* argument);

    // Prepares to run entry(argument) on the stack [stack, stack + bytes). The entry must not return: it ends
    // with a last switch_to.
    void start(void* stack, size_t bytes, Entry entry, void* argument);
    // Leaves `from` here and goes on where `to` was left.
    static void switch_to(Fiber& from, Fiber& to);

private:
#if defined(__x86_64__)
    void* stack_pointer_ = nullptr;
#else
    ucontext_t context_;
#endif
};

}  // namespace bertha::emulator
