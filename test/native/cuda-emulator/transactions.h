// Asynchronous transactions as Hopper has them: barriers in shared memory (mbarrier) that count arrivals and bytes,
// and bulk copies (cp.async.bulk) that complete on them. No kernel uses them yet; when the first one does, ptx.cuh
// gets their instructions and ptx_emulated.h calls these.
//
// A transaction changes memory at once, as late as possible (when no thread can go on) or at random, as
// options().async says; until then its destination is NaN. What comes next has its place here:
//   TMA       a transaction whose body copies a box of a tensor, swizzled, zeros outside; it completes on a barrier
//   wgmma     a transaction without a barrier, whose body multiplies and writes the accumulators it was given by
//             reference; commit_group and wait_group are commit_copies and wait_copies over such transactions
//   clusters  run_grid would run the blocks of a cluster under one scheduler; an address in distributed shared
//             memory is the same offset in another block's shared memory, and arrive() takes such an address
// Not modelled: fence.proxy.async and fence.mbarrier_init, which order memory, not threads.
#pragma once

#include "cuda-emulator/device.h"

namespace bertha::emulator {

// One 64-bit word of shared memory. A phase is complete when `arrivals` threads have arrived and as many bytes
// have come as were expected; the next one then begins. Throws Fault for a word that nobody initialised.
void init_barrier(uint64_t* barrier, int arrivals, Site site);
// Throws Fault when more arrive than the phase takes.
void arrive(uint64_t* barrier, Site site);
// Expects `bytes` more in this phase, then arrives.
void arrive_expecting(uint64_t* barrier, int bytes, Site site);
// Waits until the phase of this parity is complete: the first has parity 0. Like the instruction, it takes the
// phase before the present one for complete.
void wait_barrier(uint64_t* barrier, int parity, Site site);
// Copies `bytes`, a multiple of 16 between places aligned to 16, then counts them on the barrier.
void copy_bulk(void* shared, const void* global, int bytes, uint64_t* barrier, Site site);

}  // namespace bertha::emulator
