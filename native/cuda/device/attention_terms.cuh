// What attention knows beside queries, keys and values: where the heads lie, what distance adds to a score,
// which keys a query sees.
#pragma once

#include "cuda/device/types.cuh"

namespace bertha::cuda {

template <typename T>
struct Heads {
    Global<const T> rows;  // from the first head's first column on
    int32_t stride;
};
template <typename T>
Heads<T> heads_of(const HeadRows& heads) {
    return {global<const T>(heads), heads.rows.stride};
}

// Where running peaks begin: below every score, and finite, so that a step that shows a query no key leaves
// its sums as they are.
constexpr float kLeastPeak = -1e30f;
constexpr int kBiasWidth = 2 * kFarthest + 1;
constexpr int32_t kAnyDistance = 1 << 30;

struct AttentionTerms {
    Global<const float> relative_bias;  // [num_heads, kBiasWidth], or none
    Global<const float> slopes;         // [num_heads], or none
    Global<const int32_t> key_counts;   // [batch_size], or none
    int32_t reach;                      // no query sees a key farther away

    // Whether distance changes any score.
    __host__ __device__ bool by_distance() const {
        return relative_bias.present() || slopes.present() || reach < kAnyDistance;
    }
    __device__ __forceinline__ float bias(int32_t head, int32_t distance) const {
        if (slopes.present())
            return -slopes.load(head) * static_cast<float>(distance < 0 ? -distance : distance);
        if (!relative_bias.present()) return 0.0f;
        distance = distance < -kFarthest ? -kFarthest : distance > kFarthest ? kFarthest : distance;
        return relative_bias.load(head * kBiasWidth + kFarthest + distance);
    }
    __device__ __forceinline__ bool is_beyond(int32_t distance) const {
        return distance > reach || -distance > reach;
    }
    // The first rows of a sequence that are keys.
    __device__ __forceinline__ int32_t keys_of(int32_t sequence, int32_t seq_len) const {
        const int32_t keys = key_counts.present() ? key_counts.load(sequence) : 0;
        return keys == 0 || keys > seq_len ? seq_len : keys;
    }
};

struct DisentangledTerms {
    Global<const float> content, position;  // [rows, stride], either may be absent
    Global<const int32_t> buckets;          // [2 * farthest + 1], or none
    int32_t farthest, stride, head_columns;

    // Where the columns of a head begin in the row of a distance query - key.
    __device__ __forceinline__ int64_t row(int32_t head, int32_t distance) const {
        distance = distance < -farthest ? -farthest : distance > farthest ? farthest : distance;
        return static_cast<int64_t>(buckets.load(farthest + distance)) * stride + head * head_columns;
    }
};

inline DisentangledTerms disentangled_terms(const AttentionArgs& args) {
    const DisentangledArgs& terms = args.disentangled;
    return {global(terms.content), global(terms.position),
            global(terms.buckets), static_cast<int32_t>(terms.buckets.count / 2),
            terms.stride,          terms.by_head ? args.head_dim : 0};
}

inline AttentionTerms attention_terms(const AttentionArgs& args, const DeviceBatch& batch) {
    return {global(args.relative_bias), global(args.slopes), global(batch.key_counts),
            args.window > 0 && args.window < kAnyDistance ? args.window : kAnyDistance};
}

}  // namespace bertha::cuda
