#include "cuda-emulator/transactions.h"

#include <cstring>
#include <string>

namespace bertha::emulator {
namespace {

// What the 64 bits hold. Fresh shared memory is all ones, which no initialised barrier is.
struct Barrier {
    uint16_t arrivals;  // of a phase
    uint16_t missing;   // of the present phase
    int32_t bytes : 31;  // expected less arrived; may be negative for a while
    uint32_t parity : 1;
};
static_assert(sizeof(Barrier) == sizeof(uint64_t), "one word");

Barrier read(const uint64_t* word, Site site) {
    Barrier barrier;
    std::memcpy(&barrier, word, sizeof barrier);
    if (barrier.arrivals == 0xffff) fault("a barrier that nobody initialised", site);
    return barrier;
}

void write(uint64_t* word, Barrier barrier) {
    if (barrier.missing == 0 && barrier.bytes == 0) {
        barrier.missing = barrier.arrivals;
        barrier.parity ^= 1u;
    }
    std::memcpy(word, &barrier, sizeof barrier);
}

}  // namespace

void init_barrier(uint64_t* word, int arrivals, Site site) {
    if (arrivals < 1 || arrivals > 1024) fault("a barrier for " + std::to_string(arrivals) + " arrivals", site);
    write(word, {static_cast<uint16_t>(arrivals), static_cast<uint16_t>(arrivals), 0, 0});
}

void arrive(uint64_t* word, Site site) { arrive_expecting(word, 0, site); }

void arrive_expecting(uint64_t* word, int bytes, Site site) {
    Barrier barrier = read(word, site);
    if (barrier.missing == 0) fault("more arrivals than this phase of the barrier takes", site);
    barrier.bytes += bytes;
    barrier.missing--;
    write(word, barrier);
}

void wait_barrier(uint64_t* word, int parity, Site site) {
    wait_until([=] { return read(word, site).parity != static_cast<uint32_t>(parity); }, site);
}

void copy_bulk(void* shared, const void* global, int bytes, uint64_t* word, Site site) {
    if (bytes <= 0 || bytes % 16 != 0 || reinterpret_cast<uintptr_t>(shared) % 16 != 0 ||
        reinterpret_cast<uintptr_t>(global) % 16 != 0)
        fault("a bulk copy whose size or places are not multiples of 16 bytes", site);
    read(word, site);
    std::memset(shared, 0xff, static_cast<size_t>(bytes));
    add_transaction(
        [=] {
            std::memcpy(shared, global, static_cast<size_t>(bytes));
            Barrier barrier = read(word, site);
            barrier.bytes -= bytes;
            write(word, barrier);
        },
        site);
}

}  // namespace bertha::emulator
