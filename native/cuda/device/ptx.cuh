// Every instruction that C++ cannot say, and the only file with inline assembly. Each function has two
// bodies: the GPU's instruction and, for the emulator, what the PTX manual says it does.
//
// sm_75 has no cp.async and no m16n8k16: a plain copy and two m16n8k8 stand in, and there is no bf16.
#pragma once

#include "cuda/device/memory.cuh"

#ifdef BERTHA_CUDA_EMULATED
#include "cuda-emulator/ptx_emulated.h"
#else

namespace bertha::cuda::ptx {

__device__ __forceinline__ int thread_index() { return static_cast<int>(threadIdx.x); }
__device__ __forceinline__ int block_x() { return static_cast<int>(blockIdx.x); }
__device__ __forceinline__ int block_y() { return static_cast<int>(blockIdx.y); }
__device__ __forceinline__ int block_z() { return static_cast<int>(blockIdx.z); }

__device__ __forceinline__ void sync_block() { __syncthreads(); }
__device__ __forceinline__ void sync_warp() { __syncwarp(); }

template <typename T>
__device__ __forceinline__ T shuffle_xor(T value, int mask) {
    return __shfl_xor_sync(0xffffffffu, value, mask);
}
template <typename T>
__device__ __forceinline__ T shuffle(T value, int lane) {
    return __shfl_sync(0xffffffffu, value, lane);
}

// The block's dynamic shared memory.
template <typename T>
__device__ __forceinline__ Shared<T> shared_memory() {
    extern __shared__ __align__(128) uint8_t bertha_shared[];
    return {reinterpret_cast<T*>(bertha_shared)};
}

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(Half x) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
}
__device__ __forceinline__ float to_float(Bfloat16 x) {
    return __uint_as_float(static_cast<uint32_t>(x.bits) << 16);
}

// Rounds to nearest, ties to even.
template <typename T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) {
    return x;
}
template <>
__device__ __forceinline__ Half from_float<Half>(float x) {
    Half y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
}
template <>
__device__ __forceinline__ Bfloat16 from_float<Bfloat16>(float x) {
    Bfloat16 y;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
    const uint32_t bits = __float_as_uint(x);
    y.bits = x != x ? 0x7fff : static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
#endif
    return y;
}

// a + b, rounded by itself: never the end of a fused multiply-add, so that every kernel gets the same bits.
__device__ __forceinline__ float add(float a, float b) { return __fadd_rn(a, b); }

// `fact`, as something that the compiler cannot know to be the same in every round of a loop: it then tests
// it in the loop and does not make two copies of the loop.
__device__ __forceinline__ bool tested_here(bool fact) {
    int32_t value = fact;
    asm volatile("" : "+r"(value));
    return value != 0;
}

// The larger one, or NaN where either is NaN.
__device__ __forceinline__ float max_or_nan(float a, float b) {
#if __CUDA_ARCH__ >= 800
    float larger;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(larger) : "f"(a), "f"(b));
    return larger;
#else
    return a != a || b != b ? a + b : fmaxf(a, b);
#endif
}

// 2^x within 2 ulp; 0 for -infinity.
__device__ __forceinline__ float exp2_approx(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

__device__ __forceinline__ uint32_t shared_address(const void* pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Copies `valid_bytes` of 16 to shared memory and zeros the rest; both sides are aligned to 16 bytes. Nobody
// may read the destination before the copy's group was waited for and, in other threads, a barrier.
__device__ __forceinline__ void copy_async(void* shared, const void* global, int valid_bytes) {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global),
                 "r"(valid_bytes)
                 : "memory");
#else
    uint4 value = make_uint4(0, 0, 0, 0);
    if (valid_bytes == 16) {
        value = *static_cast<const uint4*>(global);
    } else {
        auto* bytes = reinterpret_cast<uint16_t*>(&value);
        for (int i = 0; i < 8; i++)
            if (2 * i < valid_bytes) bytes[i] = static_cast<const uint16_t*>(global)[i];
    }
    *static_cast<uint4*>(shared) = value;
#endif
}
__device__ __forceinline__ void commit_copies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Waits until at most kLeft of this thread's groups are under way.
template <int kLeft>
__device__ __forceinline__ void wait_copies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
#endif
}

// Four 8x8 matrices of 16-bit elements: lane 8i + r names row r of matrix i, and receives of each matrix the
// elements 2 (lane % 4) and + 1 of row lane / 4.
template <typename T>
__device__ __forceinline__ void load_matrices(uint32_t (&r)[4], const Shared<T>& shared, int row_begin) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(shared.data) + row_begin * static_cast<uint32_t>(sizeof(T)))
                 : "memory");
}
// The same matrices, transposed.
template <typename T>
__device__ __forceinline__ void load_matrices_transposed(uint32_t (&r)[4], const Shared<T>& shared,
                                                         int row_begin) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(shared.data) + row_begin * static_cast<uint32_t>(sizeof(T)))
                 : "memory");
}

// d [16, 8] += a [16, 16] · b [16, 8], fp32 sums. The warp holds, with g = lane / 4 and t = lane % 4:
//   a: rows g, g + 8, g, g + 8; columns 2t, 2t, 2t + 8, 2t + 8 (two each)
//   b: column g; rows 2t, 2t + 8 (two each)      d: rows g, g, g + 8, g + 8; columns 2t, 2t + 1, 2t, 2t + 1
template <typename T>
__device__ __forceinline__ void multiply_add(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

template <>
__device__ __forceinline__ void multiply_add<Half>(float (&d)[4], const uint32_t (&a)[4],
                                                   const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    for (int half = 0; half < 2; half++)
        asm volatile(
            "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, "
            "{%0, %1, %2, %3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[2 * half]), "r"(a[2 * half + 1]), "r"(b[half]));
#endif
}
template <>
__device__ __forceinline__ void multiply_add<Bfloat16>(float (&d)[4], const uint32_t (&a)[4],
                                                       const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    __trap();  // the backend refuses bf16 on such a device
#endif
}

}  // namespace bertha::cuda::ptx
#endif

namespace bertha::cuda::ptx {

__device__ __forceinline__ int warp_id() { return thread_index() / 32; }
__device__ __forceinline__ int lane_id() { return thread_index() % 32; }

// Sums over the warp in one fixed order; every lane gets the result.
__device__ __forceinline__ float warp_sum(float x) {
    for (int mask = 16; mask > 0; mask /= 2) x += shuffle_xor(x, mask);
    return x;
}
__device__ __forceinline__ float warp_max(float x) {
    for (int mask = 16; mask > 0; mask /= 2) x = fmaxf(x, shuffle_xor(x, mask));
    return x;
}

// Two rounded values in one register, the first in the lower half.
template <typename T>
__device__ __forceinline__ uint32_t pack_pair(float first, float second) {
    return static_cast<uint32_t>(from_float<T>(first).bits) |
           static_cast<uint32_t>(from_float<T>(second).bits) << 16;
}

}  // namespace bertha::cuda::ptx
