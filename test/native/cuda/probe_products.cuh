// The wgmma and mma.sync instructions of the probe, and the kernels that need them. Included by probe.cu alone.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

#include "cuda/probe_layout.h"

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define BERTHA_HOPPER 1
#endif

namespace bertha::probe {

__device__ __forceinline__ uint32_t shared_address(const void* pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

template <typename T>
__device__ __forceinline__ void multiply_mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    if constexpr (std::is_same_v<T, __nv_bfloat16>)
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
    else
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#ifdef BERTHA_HOPPER
__device__ __forceinline__ void begin_wgmma() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void commit_wgmma() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int kGroups>
__device__ __forceinline__ void wait_wgmma() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kGroups) : "memory");
}
// Makes this thread's stores to shared memory seen by wgmma, after a barrier.
__device__ __forceinline__ void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// d [64, 16] += a [64, 16] of registers, as mma.sync's of four warps, times b [16, 16] of shared memory.
#define BERTHA_WGMMA_16(type)                                                                                          \
    asm volatile("wgmma.mma_async.sync.aligned.m64n16k16.f32." type "." type                                           \
                 " {%0, %1, %2, %3, %4, %5, %6, %7}, {%8, %9, %10, %11}, %12, 1, 1, 1, 0;"                             \
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7])      \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b))
template <typename T>
__device__ __forceinline__ void multiply_wgmma(float (&d)[8], const uint32_t (&a)[4], uint64_t b) {
    if constexpr (std::is_same_v<T, __nv_bfloat16>)
        BERTHA_WGMMA_16("bf16");
    else
        BERTHA_WGMMA_16("f16");
}

// d [64, 256] += a [64, 16] · bᵀ [256, 16], both of shared memory.
#define BERTHA_8(i)                                                                                                    \
    "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]),        \
        "+f"(d[i + 7])
#define BERTHA_32(i) BERTHA_8(i), BERTHA_8(i + 8), BERTHA_8(i + 16), BERTHA_8(i + 24)
__device__ __forceinline__ void multiply_wgmma_256(float (&d)[128], uint64_t a, uint64_t b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
            "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
            "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
            "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
            "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
            "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
            "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
            "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
            "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
            "}, %128, %129, 1, 1, 1, 0, 0;"
        : BERTHA_32(0), BERTHA_32(32), BERTHA_32(64), BERTHA_32(96)
        : "l"(a), "l"(b));
}
#endif

// The products of both instructions for one pair of operands: of mma.sync and wgmma, by a warpgroup a block.
//   a [blocks, 64, k], b [blocks, 16, k], of_mma, of_wgmma [blocks, 64, 16] fp32
template <typename T, Swizzle kSwizzle>
__global__ void __launch_bounds__(128) bits_kernel(const T* a, const T* b, int k, float* of_mma, float* of_wgmma) {
#ifdef BERTHA_HOPPER
    __shared__ alignas(1024) uint8_t tile[16 * 128];
    const int thread = threadIdx.x, warp = thread / 32, g = thread % 32 / 4, t = thread % 4;
    a += static_cast<int64_t>(blockIdx.x) * 64 * k;
    b += static_cast<int64_t>(blockIdx.x) * 16 * k;
    const auto pair = [&](const T* from, int row, int column) {
        return *reinterpret_cast<const uint32_t*>(from + static_cast<int64_t>(row) * k + column);
    };
    constexpr int kSteps = kSwizzle == Swizzle::kNone ? 1 : row_bytes(kSwizzle) / 32;  // of 16 columns in the tile
    float mma[2][4] = {}, wgmma[8] = {};
    for (int slab = 0; slab < k; slab += 16 * kSteps) {
        __syncthreads();
        for (int unit = thread; unit < 16 * 2 * kSteps; unit += 128) {
            const int row = unit / (2 * kSteps), piece = unit % (2 * kSteps);
            *reinterpret_cast<uint4*>(tile + place(kSwizzle, row, piece)) =
                *reinterpret_cast<const uint4*>(b + static_cast<int64_t>(row) * k + slab + 8 * piece);
        }
        publish_shared();
        __syncthreads();
#pragma unroll
        for (int step = 0; step < kSteps; step++) {
            const int row = 16 * warp + g, column = slab + 16 * step + 2 * t;
            const uint32_t rows[4] = {pair(a, row, column), pair(a, row + 8, column), pair(a, row, column + 8),
                                      pair(a, row + 8, column + 8)};
            begin_wgmma();
            multiply_wgmma<T>(wgmma, rows, descriptor(shared_address(tile) + 32 * step, kSwizzle));
            commit_wgmma();
            wait_wgmma<0>();
            for (int j = 0; j < 2; j++)
                multiply_mma<T>(mma[j], rows, pair(b, 8 * j + g, column), pair(b, 8 * j + g, column + 8));
        }
    }
    for (int j = 0; j < 2; j++)
        for (int e = 0; e < 4; e++) {
            const int64_t at = (static_cast<int64_t>(blockIdx.x) * 64 + 16 * warp + g + e / 2 * 8) * 16 + 8 * j + 2 * t + e % 2;
            of_mma[at] = mma[j][e];
            of_wgmma[at] = wgmma[4 * j + e];
        }
#endif
}

// mma.sync alone: eight independent products of 16 x 8 x 16 a warp and round.
constexpr int kMmaThreads = 256, kMmaProducts = 8;
__global__ void __launch_bounds__(kMmaThreads, 2) mma_rate_kernel(const uint32_t* values, int rounds, float* out) {
    uint32_t a[4], b[2];
    for (int i = 0; i < 4; i++) a[i] = values[threadIdx.x * 6 + i];
    for (int i = 0; i < 2; i++) b[i] = values[threadIdx.x * 6 + 4 + i];
    float d[kMmaProducts][4] = {};
    for (int round = 0; round < rounds; round++)
#pragma unroll
        for (int i = 0; i < kMmaProducts; i++) multiply_mma<__nv_bfloat16>(d[i], a, b[0], b[1]);
    float sum = 0.0f;
    for (int i = 0; i < kMmaProducts; i++) sum += d[i][0] + d[i][1] + d[i][2] + d[i][3];
    out[blockIdx.x * kMmaThreads + threadIdx.x] = sum;
}

// wgmma alone: two warpgroups, each 64 x 256 x 64 a round from the same tiles: a [64, 64] a warpgroup, b [256, 64], swizzled by 128 bytes.
constexpr int kWgmmaThreads = 256, kWgmmaShared = (2 * 64 + 256) * 128 + 1024;
__global__ void __launch_bounds__(kWgmmaThreads, 1) wgmma_rate_kernel(const uint4* values, int rounds, float* out) {
#ifdef BERTHA_HOPPER
    extern __shared__ uint8_t raw[];
    const uint32_t begin = (shared_address(raw) + 1023) / 1024 * 1024;
    uint8_t* tiles = raw + (begin - shared_address(raw));
    for (int i = threadIdx.x; i < (2 * 64 + 256) * 8; i += kWgmmaThreads) reinterpret_cast<uint4*>(tiles)[i] = values[i];
    publish_shared();
    __syncthreads();
    const uint32_t a = begin + threadIdx.x / 128 * 64 * 128, b = begin + 2 * 64 * 128;
    float d[128] = {};
    for (int round = 0; round < rounds; round++) {
        begin_wgmma();
#pragma unroll
        for (int step = 0; step < 4; step++)
            multiply_wgmma_256(d, descriptor(a + 32 * step, Swizzle::k128), descriptor(b + 32 * step, Swizzle::k128));
        commit_wgmma();
        wait_wgmma<1>();
    }
    wait_wgmma<0>();
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 128; i++) sum += d[i];
    out[blockIdx.x * kWgmmaThreads + threadIdx.x] = sum;
#endif
}

}  // namespace bertha::probe
