// The emulated device: what tests may set, and what goes wrong on demand.
//
// In a process that only loads the addon, environment variables do the same, read at each call:
//   BERTHA_EMULATED_DEVICES (1), _CAPABILITY (80; of several devices "70,80"), _DRIVER (13000; 0 for none), _MEMORY (bytes),
//   _INIT_MS (how long the first question to the driver takes), _FAIL ("N:oom" or "N:lost": the N-th runtime call
//   after the variable was given this value fails; a new value also brings a lost device back)
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace bertha::emulator {

enum class Failure { kOutOfMemory, kLost, kOther };
// The n-th call from now fails; 0 switches this off. Returns the calls made since the last fail_call.
int64_t fail_call(int64_t n, Failure failure);
// Bytes of device and pinned memory that are allocated now.
int64_t device_bytes();
// launch() hands over its own name, which holds the kernel's with all template arguments.
void note_launch(const char* launch_function);
// The kernels launched since the last call, as the compiler spells them without namespaces.
std::set<std::string> take_launches();
// Fails on the next call no more: a test's way to a fresh process.
void revive_devices();

// Work that was queued on any stream since that stream was last waited for, or found done.
int64_t queued_work();
// A stream is found done at the n-th question from now, not before.
void hold_streams(int64_t questions);
// How often a thread asked whether a stream is done, and how often it waited for one, since the last call.
struct Waiting {
    int64_t questions = 0, waits = 0;
};
Waiting take_waiting();
// Keeps the launches from now on, each by the name it gives itself; returns those since the last call, in order.
std::vector<std::string> take_launch_names();

}  // namespace bertha::emulator
