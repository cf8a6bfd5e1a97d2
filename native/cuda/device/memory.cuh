// Pointers as kernels see them. On a GPU, Global<T> and Shared<T> are plain pointers; in the emulator they
// know their bounds, and every access is checked and counted by the line it stands in. Also the 16-bit types.
#pragma once

#include <cstdint>

#ifdef BERTHA_CUDA_EMULATED
#include <cstring>

#include "cuda-emulator/device.h"
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define BERTHA_SITE_PARAMETER , ::bertha::emulator::Site site = BERTHA_EMULATOR_SITE
#define BERTHA_CHECK_ACCESS(space, index, count)                                                      \
    ::bertha::emulator::check_access(::bertha::emulator::Space::space, (index), (count), size, site); \
    ::bertha::emulator::note_access(::bertha::emulator::Space::space, data + (index),                 \
                                    static_cast<int>((count) * static_cast<int64_t>(sizeof(T))), site)
#else
#define BERTHA_SITE_PARAMETER
#define BERTHA_CHECK_ACCESS(space, index, count)
#endif

namespace bertha::cuda {

// Storage only; ptx.cuh converts. fp16: IEEE binary16. bf16: the upper half of a float.
struct Half {
    uint16_t bits;
};
struct Bfloat16 {
    uint16_t bits;
};

// N elements that are moved by one instruction (up to 16 bytes).
template <typename T, int N>
struct alignas(sizeof(T) * N) Pack {
    T at[N];
};

template <typename T>
struct Global {
    T* data = nullptr;
#ifdef BERTHA_CUDA_EMULATED
    int64_t size = 0;
#endif

    Global() = default;
    __host__ __device__ Global(T* pointer, [[maybe_unused]] int64_t count) : data(pointer) {
#ifdef BERTHA_CUDA_EMULATED
        size = count;
#endif
    }
    __host__ __device__ bool present() const { return data != nullptr; }

    __device__ __forceinline__ T load(int64_t i BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kGlobal, i, 1);
        return data[i];
    }
    __device__ __forceinline__ void store(int64_t i, T value BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kGlobal, i, 1);
        data[i] = value;
    }
    // N elements from i on, which is a multiple of N.
    template <int N>
    __device__ __forceinline__ Pack<T, N> load_pack(int64_t i BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kGlobal, i, N);
        return *reinterpret_cast<const Pack<T, N>*>(data + i);
    }
    template <int N>
    __device__ __forceinline__ void store_pack(int64_t i,
                                               const Pack<T, N>& pack BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kGlobal, i, N);
        *reinterpret_cast<Pack<T, N>*>(data + i) = pack;
    }
    // Where an asynchronous copy of `count` elements starts.
    __device__ __forceinline__ T* address(int64_t i,
                                          [[maybe_unused]] int64_t count BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kGlobal, i, count);
        return data + i;
    }
};

template <typename T>
struct Shared {
    T* data;
#ifdef BERTHA_CUDA_EMULATED
    int64_t size;
#endif

    __device__ __forceinline__ T load(int i BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kShared, i, 1);
        return data[i];
    }
    __device__ __forceinline__ void store(int i, T value BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kShared, i, 1);
        data[i] = value;
    }
    template <int N>
    __device__ __forceinline__ Pack<T, N> load_pack(int i BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kShared, i, N);
        return *reinterpret_cast<const Pack<T, N>*>(data + i);
    }
    template <int N>
    __device__ __forceinline__ void store_pack(int i, const Pack<T, N>& pack BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kShared, i, N);
        *reinterpret_cast<Pack<T, N>*>(data + i) = pack;
    }
    __device__ __forceinline__ T* address(int i, [[maybe_unused]] int count BERTHA_SITE_PARAMETER) const {
        BERTHA_CHECK_ACCESS(kShared, i, count);
        return data + i;
    }
    // The part of `count` elements from i on.
    __device__ __forceinline__ Shared part(int i, [[maybe_unused]] int count) const {
#ifdef BERTHA_CUDA_EMULATED
        ::bertha::emulator::check_access(::bertha::emulator::Space::kShared, i, count, size,
                                         BERTHA_EMULATOR_SITE);
        return {data + i, count};
#else
        return {data + i};
#endif
    }
};

}  // namespace bertha::cuda
