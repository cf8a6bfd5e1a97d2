// Slabs of k in shared memory, as the products on the tensor cores read them: 32 columns of some rows of an
// operand whose k is contiguous. A row of a slab is 64 bytes, two rows to a line of 32 banks: the 16-byte
// piece c of row r lies at c ^ (r / 2 % 4), so that the 8 rows of an 8x8 matrix, and the 8 pieces that a
// quarter warp writes, meet 8 different bank groups.
#pragma once

#include "cuda/device/types.cuh"

namespace bertha::cuda {

constexpr int kSlab = 32;
constexpr int kPiece = 8;  // elements of 16 bytes
constexpr int kPieces = kSlab / kPiece;

__device__ __forceinline__ int place(int row, int piece) {
    return row * kSlab + (piece ^ (row / 2 % 4)) * kPiece;
}

inline int32_t slabs_of(int64_t k) { return static_cast<int32_t>(ceil_div(k, kSlab)); }
inline int32_t slabs_per_part(int64_t n, int64_t k) {
    return static_cast<int32_t>(ceil_div(slabs_of(k), k_parts(n, k)));
}

// One thread's share of an operand's slabs: the same piece of every kStep-th row. Zeros outside the operand.
// A slab is copied by a block of kThreads, or by each warp for itself where kThreads is 32.
template <typename T, int kRows, int kThreads>
struct SlabCopies {
    static constexpr int kStep = kThreads / kPieces;
    static_assert(kStep % 8 == 0 && (kRows % kStep == 0 || kRows < kStep),
                  "a pass of rows keeps the swizzle");
    Global<const T> from;
    int64_t first;  // element of the first row, column 0 of the slabs
    int64_t rows;   // from the first one on
    int32_t columns, stride;
    int to;

    static __device__ __forceinline__ int thread() {
        return kThreads == 32 ? ptx::lane_id() : ptx::thread_index();
    }
    __device__ __forceinline__ SlabCopies(const Global<const T>& operand, int64_t row_begin, int64_t row_end,
                                          int32_t row_stride, int32_t k)
        : from(operand), stride(row_stride) {
        const int row = thread() / kPieces, piece = thread() % kPieces;
        first = (row_begin + row) * row_stride + piece * kPiece;
        rows = row_end - row_begin - row;
        columns = k - piece * kPiece;
        to = place(row, piece);
    }
    __device__ __forceinline__ void start(int32_t slab, const Shared<T>& stage) const {
        if (kRows < kStep && thread() >= kRows * kPieces) return;
        const int32_t left = columns - slab * kSlab;
        const int inside = left <= 0 ? 0 : left < kPiece ? left : kPiece;
#pragma unroll
        for (int row = 0; row < kRows; row += kStep) {
            const int count = row < rows ? inside : 0;
            const int64_t at = first + slab * kSlab + static_cast<int64_t>(row) * stride;
            ptx::copy_async(stage.address(to + row * kSlab, kPiece),
                            count > 0 ? from.address(at, count) : from.data,
                            count * static_cast<int>(sizeof(T)));
        }
    }
};

}  // namespace bertha::cuda
