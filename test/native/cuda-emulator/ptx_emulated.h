// The emulated bodies of ptx.cuh.
#pragma once

#include <cmath>
#include <cstring>

#include "cuda-emulator/device.h"
#include "cuda-emulator/tensor_core.h"
#include "cuda/device/memory.cuh"

#define BERTHA_SITE_ONLY ::bertha::emulator::Site site = BERTHA_EMULATOR_SITE

namespace bertha::cuda::ptx {

using emulator::commit_copies;
using emulator::Site;
using emulator::thread_index;
inline int block_x() { return emulator::block_index(0); }
inline int block_y() { return emulator::block_index(1); }
inline int block_z() { return emulator::block_index(2); }

inline void sync_block(BERTHA_SITE_ONLY) { emulator::sync_block(site); }
inline void sync_warp(BERTHA_SITE_ONLY) {
    emulator::meet_warp(nullptr, [](void* const*) {}, site);
}

template <typename T>
struct Exchange {
    T mine, theirs;
    int from;
};
template <typename T>
inline T exchange(T value, int from, Site site) {
    Exchange<T> mine{value, value, from};
    emulator::meet_warp(
        &mine,
        [](void* const* lanes) {
            for (int i = 0; i < 32; i++) {
                auto* lane = static_cast<Exchange<T>*>(lanes[i]);
                lane->theirs = static_cast<Exchange<T>*>(lanes[lane->from & 31])->mine;
            }
        },
        site);
    return mine.theirs;
}
template <typename T>
inline T shuffle_xor(T value, int mask, BERTHA_SITE_ONLY) {
    return exchange(value, (thread_index() % 32) ^ mask, site);
}
template <typename T>
inline T shuffle(T value, int lane, BERTHA_SITE_ONLY) {
    return exchange(value, lane, site);
}

template <typename T>
inline Shared<T> shared_memory() {
    return {reinterpret_cast<T*>(emulator::shared_memory()),
            emulator::shared_bytes() / static_cast<int64_t>(sizeof(T))};
}

inline uint32_t bits_of(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    return bits;
}
inline float float_of(uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
}

inline float to_float(float x) { return x; }
inline float to_float(Bfloat16 x) { return float_of(static_cast<uint32_t>(x.bits) << 16); }
inline float to_float(Half x) {
    const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16, exponent = x.bits >> 10 & 31,
                   fraction = x.bits & 0x3ff;
    if (exponent == 0) return (sign != 0 ? -1.0f : 1.0f) * static_cast<float>(fraction) * 0x1p-24f;
    return float_of(sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13);
}

template <typename T>
inline T from_float(float x);
template <>
inline float from_float<float>(float x) {
    return x;
}
template <>
inline Bfloat16 from_float<Bfloat16>(float x) {
    const uint32_t bits = bits_of(x);
    if (x != x) return {0x7fff};
    return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
template <>
inline Half from_float<Half>(float x) {
    const auto sign = static_cast<uint16_t>(bits_of(x) >> 16 & 0x8000);
    if (x != x) return {0x7fff};
    const float size = std::fabs(x);
    if (size >= 65520.0f) return {static_cast<uint16_t>(sign | 0x7c00)};
    // Multiples of 2^-24 below the normal range; nearbyint rounds ties to even.
    if (size < 0x1p-14f) return {static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(size * 0x1p24f)))};
    const uint32_t bits = bits_of(size);
    const uint32_t rounded = bits + 0xfff + (bits >> 13 & 1);
    return {static_cast<uint16_t>(sign | ((rounded >> 13) - (112u << 10)))};
}

inline float add(float a, float b) { return a + b; }
inline bool tested_here(bool fact) { return fact; }
inline float max_or_nan(float a, float b) { return a != a || b != b ? a + b : std::fmax(a, b); }
inline float exp2_approx(float x) { return std::exp2(x); }

inline void copy_async(void* shared, const void* global, int valid_bytes, BERTHA_SITE_ONLY) {
    emulator::copy_async(shared, global, valid_bytes, site);
}
template <int kLeft>
inline void wait_copies() {
    emulator::wait_copies(kLeft);
}

struct MatrixLoad {
    const uint16_t* row;
    uint32_t* registers;
};
template <bool kTransposed>
inline void exchange_matrices(void* const* lanes) {
    for (int lane = 0; lane < 32; lane++)
        for (int matrix = 0; matrix < 4; matrix++) {
            const int g = lane / 4, t = lane % 4;
            const auto element = [&](int row, int column) -> uint32_t {
                return static_cast<MatrixLoad*>(lanes[8 * matrix + row])->row[column];
            };
            static_cast<MatrixLoad*>(lanes[lane])->registers[matrix] =
                kTransposed ? element(2 * t, g) | element(2 * t + 1, g) << 16
                            : element(g, 2 * t) | element(g, 2 * t + 1) << 16;
        }
}
template <bool kTransposed, typename T>
inline void load_matrix_rows(uint32_t (&r)[4], const Shared<T>& shared, int row_begin, Site site) {
    MatrixLoad load{reinterpret_cast<const uint16_t*>(shared.address(row_begin, 8, site)), r};
    if (reinterpret_cast<uintptr_t>(load.row) % 16 != 0)
        throw emulator::Fault("a matrix row that is not aligned to 16 bytes");
    emulator::meet_warp(&load, exchange_matrices<kTransposed>, site);
}
template <typename T>
inline void load_matrices(uint32_t (&r)[4], const Shared<T>& shared, int row_begin, BERTHA_SITE_ONLY) {
    load_matrix_rows<false>(r, shared, row_begin, site);
}
template <typename T>
inline void load_matrices_transposed(uint32_t (&r)[4], const Shared<T>& shared, int row_begin, BERTHA_SITE_ONLY) {
    load_matrix_rows<true>(r, shared, row_begin, site);
}

struct Product {
    float* d;
    const uint32_t* a;
    const uint32_t* b;
};
template <typename T>
inline void exchange_product(void* const* lanes) {
    const auto value = [](uint32_t pair, int which) {
        return to_float(T{static_cast<uint16_t>(which == 0 ? pair : pair >> 16)});
    };
    float a[16][16], b[8][16], d[16][8];  // b by column
    for (int lane = 0; lane < 32; lane++) {
        const int g = lane / 4, t = lane % 4;
        const auto* product = static_cast<Product*>(lanes[lane]);
        for (int which = 0; which < 2; which++) {
            a[g][2 * t + which] = value(product->a[0], which);
            a[g + 8][2 * t + which] = value(product->a[1], which);
            a[g][2 * t + 8 + which] = value(product->a[2], which);
            a[g + 8][2 * t + 8 + which] = value(product->a[3], which);
            b[g][2 * t + which] = value(product->b[0], which);
            b[g][2 * t + 8 + which] = value(product->b[1], which);
            d[g][2 * t + which] = product->d[which];
            d[g + 8][2 * t + which] = product->d[2 + which];
        }
    }
    for (int row = 0; row < 16; row++)
        for (int column = 0; column < 8; column++)
            d[row][column] = emulator::multiply_row(a[row], b[column], d[row][column]);
    for (int lane = 0; lane < 32; lane++) {
        const int g = lane / 4, t = lane % 4;
        const auto* product = static_cast<Product*>(lanes[lane]);
        for (int which = 0; which < 2; which++) {
            product->d[which] = d[g][2 * t + which];
            product->d[2 + which] = d[g + 8][2 * t + which];
        }
    }
}
template <typename T>
inline void multiply_add(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], BERTHA_SITE_ONLY) {
    Product product{d, a, b};
    emulator::meet_warp(&product, exchange_product<T>, site);
}

}  // namespace bertha::cuda::ptx
