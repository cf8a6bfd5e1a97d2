// Threads that share one loop. What runs a loop takes a Team and need not know where its threads come from.
#pragma once

#include <cstdint>
#include <type_traits>

namespace bertha {

// run() calls body(unit, member) for every unit in [0, units); member < size() tells which thread runs it.
// The caller is member 0, and never waits for a thread that has not woken up. Nothing is allocated.
class Team {
public:
    using Body = void (*)(void* context, int64_t unit, int member);
    virtual ~Team() = default;
    virtual int size() const = 0;
    // Throws what a unit threw on any of the threads, once none of them uses `context` any more.
    virtual void run(int64_t units, Body body, void* context) = 0;

    template <typename Function>
    void run(int64_t units, Function&& function) {
        run(
            units,
            [](void* context, int64_t unit, int member) {
                (*static_cast<std::remove_reference_t<Function>*>(context))(unit, member);
            },
            &function);
    }
};

// The caller alone.
class Solo final : public Team {
public:
    using Team::run;
    int size() const override { return 1; }
    void run(int64_t units, Body body, void* context) override {
        for (int64_t unit = 0; unit < units; unit++) body(context, unit, 0);
    }
};

}  // namespace bertha
