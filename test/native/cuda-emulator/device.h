// What a running kernel asks of the emulator: indices, barriers, warp exchanges, checked memory, asynchronous
// copies. ptx.cuh and memory.cuh call these where the GPU has instructions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cuda-emulator/emulator.h"

#define BERTHA_EMULATOR_SITE ::bertha::emulator::Site::here()

namespace bertha::emulator {

int thread_index();
int block_index(int axis);
void sync_block(Site site);
uint8_t* shared_memory();
int64_t shared_bytes();

// Throws Fault unless [index, index + count) lies in [0, size).
enum class Space { kGlobal, kShared };
void check_access(Space space, int64_t index, int64_t count, int64_t size, Site site);
// Notes an access of this lane for the counts.
void note_access(Space space, const void* address, int bytes, Site site);

// A warp's lanes meet: each hands in an argument; the last to come runs combine(arguments of 32 lanes), then
// all go on. Lanes that meet must have come from the same line.
using Combine = void (*)(void* const* arguments);
void meet_warp(void* argument, Combine combine, Site site);

// Copies `valid` of 16 bytes and fills the rest with zeros, when the asynchronous mode says so.
void copy_async(void* shared, const void* global, int valid, Site site);
void commit_copies();
void wait_copies(int groups_left);

// What transactions.cc is made of. A transaction runs its body when the asynchronous mode says so, and must have
// run when the block ends.
void add_transaction(std::function<void()> body, Site site);
// Leaves the thread until `ready` is true.
void wait_until(std::function<bool()> ready, Site site);
[[noreturn]] void fault(const std::string& what, Site site);

}  // namespace bertha::emulator
