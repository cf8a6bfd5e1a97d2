// How wgmma finds an operand in shared memory whose k is contiguous: the swizzle of its rows and the descriptor
// (PTX manual, "Asynchronous warpgroup level matrix shared memory layout" and "Matrix descriptor format").
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define BERTHA_BOTH __host__ __device__
#else
#define BERTHA_BOTH
#endif

namespace bertha::probe {

// The numbers are those of the descriptor.
enum class Swizzle : int { kNone = 0, k128 = 1, k64 = 2, k32 = 3 };

// Bytes of a row of the tile. Without a swizzle a row is cut into pieces of 16 bytes, each in a core matrix of its own.
BERTHA_BOTH constexpr int row_bytes(Swizzle swizzle) { return swizzle == Swizzle::kNone ? 16 : 256 >> static_cast<int>(swizzle); }

// Where 16-byte piece `piece` of row `row` lies in a tile that begins at a multiple of 1,024 bytes. Swizzled: rows follow each other and
// bits 4 to 6 of the place are exchanged by bits 7 to 9, as many as the row has. Not: core matrices of 8 rows, those of a row's two pieces
// side by side.
BERTHA_BOTH constexpr uint32_t place(Swizzle swizzle, int row, int piece) {
    if (swizzle == Swizzle::kNone) return static_cast<uint32_t>(row / 8 * 256 + piece * 128 + row % 8 * 16);
    const auto at = static_cast<uint32_t>(row * row_bytes(swizzle) + piece * 16);
    const auto mask = static_cast<uint32_t>(row_bytes(swizzle) / 16 - 1);
    return at ^ ((at >> 7 & mask) << 4);
}

// From a row's first piece to its second (which only the layout without a swizzle asks for), and from 8 rows to the next 8.
BERTHA_BOTH constexpr uint32_t leading_bytes(Swizzle swizzle) { return swizzle == Swizzle::kNone ? 128 : 16; }
BERTHA_BOTH constexpr uint32_t stride_bytes(Swizzle swizzle) {
    return swizzle == Swizzle::kNone ? 256 : static_cast<uint32_t>(8 * row_bytes(swizzle));
}

// Of the 16 columns of k that begin at shared address `address`; the next 16 of a swizzled row begin 32 bytes further.
BERTHA_BOTH constexpr uint64_t descriptor(uint32_t address, Swizzle swizzle) {
    return uint64_t{(address & 0x3ffff) >> 4} | uint64_t{leading_bytes(swizzle) >> 4} << 16 |
           uint64_t{stride_bytes(swizzle) >> 4} << 32 | uint64_t{static_cast<uint32_t>(swizzle)} << 62;
}

}  // namespace bertha::probe
