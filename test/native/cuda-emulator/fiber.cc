#include "cuda-emulator/fiber.h"

namespace bertha::emulator {

#if defined(__x86_64__)

// bertha_switch_stack(void** save, void* load): pushes what a callee must keep, exchanges stacks, pops it again.
asm(R"(
.text
.type bertha_switch_stack, @function
.hidden bertha_switch_stack
.globl bertha_switch_stack
bertha_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size bertha_switch_stack, .-bertha_switch_stack
.type bertha_start_fiber, @function
.hidden bertha_start_fiber
.globl bertha_start_fiber
bertha_start_fiber:
    movq %r13, %rdi
    xorl %ebp, %ebp
    callq *%r12
    ud2
.size bertha_start_fiber, .-bertha_start_fiber
)");

extern "C" void bertha_switch_stack(void** save, void* load);
extern "C" void bertha_start_fiber();

void Fiber::start(void* stack, size_t bytes, Entry entry, void* argument) {
    const auto top = (reinterpret_cast<uintptr_t>(stack) + bytes) & ~uintptr_t{15};
    // As the switch pops it: r15, r14, r13 = argument, r12 = entry, rbx, rbp, return address.
    auto* frame = reinterpret_cast<void**>(top) - 9;  // so that the entry finds its stack aligned
    for (int i = 0; i < 8; i++) frame[i] = nullptr;
    frame[2] = argument;
    frame[3] = reinterpret_cast<void*>(entry);
    frame[6] = reinterpret_cast<void*>(&bertha_start_fiber);
    stack_pointer_ = frame;
}

void Fiber::switch_to(Fiber& from, Fiber& to) { bertha_switch_stack(&from.stack_pointer_, to.stack_pointer_); }

#else

namespace {
void call_entry(unsigned entry_low, unsigned entry_high, unsigned low, unsigned high) {
    const auto join = [](unsigned a, unsigned b) {
        return reinterpret_cast<void*>(uintptr_t{a} | uintptr_t{b} << 32);
    };
    reinterpret_cast<Fiber::Entry>(join(entry_low, entry_high))(join(low, high));
}
}  // namespace

void Fiber::start(void* stack, size_t bytes, Entry entry, void* argument) {
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack;
    context_.uc_stack.ss_size = bytes;
    context_.uc_link = nullptr;
    const auto e = reinterpret_cast<uintptr_t>(entry), a = reinterpret_cast<uintptr_t>(argument);
    makecontext(&context_, reinterpret_cast<void (*)()>(call_entry), 4, static_cast<unsigned>(e),
                static_cast<unsigned>(e >> 32), static_cast<unsigned>(a), static_cast<unsigned>(a >> 32));
}

void Fiber::switch_to(Fiber& from, Fiber& to) { swapcontext(&from.context_, &to.context_); }

#endif

}  // namespace bertha::emulator
