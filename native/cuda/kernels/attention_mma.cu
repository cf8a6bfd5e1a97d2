// context = softmax(q kᵀ · scale + terms) v per sequence and head, on the tensor cores; no padding, no mask
// tensor.
//   query, key, value, context [tokens, num_heads, head_dim], fp16 or bf16
//
// A block has 64 queries of one head, 16 a warp, as attention_blocks.h deals them out. Texts of up to 64
// tokens share a block, each from the next 16 rows of shared memory on: their keys and values are loaded once
// and lie in the same places as their queries, a warp meets those of its own text alone, and nothing but a
// text's last 15 rows is computed in vain. A longer text has blocks of its own, which walk over its keys 64
// at a time (32 for head_dim > 64, so that sm_75's 64 KiB suffice), the next ones on their way while the
// present ones are used; with a window, over those alone that one of its queries sees.
//
// Scores stay in registers: the layout of mma's result is that of its first operand. Each step keeps a
// running row_max and row_sum; the first has nothing to rescale, and only the last masks keys. Keys are
// counted from the text's first one: what a text gets depends on its own rows alone.
//
// head_dim is padded with zeros to 16, 32, 64 or 128 in shared memory only. A multiple of 8 comes by
// cp.async; any other has rows that are not aligned and comes element by element.
#include <type_traits>

#include "cuda/kernels/attention_blocks.h"
#include "cuda/device/attention_terms.cuh"

namespace bertha::cuda {
namespace {

constexpr int kQueries = kAttentionWarps * kQueriesOfWarp;
constexpr int kThreads = kAttentionWarps * 32;
// Left to choose, the compiler aims at more blocks an SM than the registers allow, and spills some: on sm_75
// always, elsewhere where distance counts. 0: let it choose.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr int blocks_of_sm(bool) { return 2; }
#else
constexpr int blocks_of_sm(bool by_distance) { return by_distance ? 2 : 0; }
#endif
constexpr float kLog2E = 1.4426950408889634f;

template <typename T>
struct AttentionMmaParams {
    Heads<T> query, key, value;
    Global<T> context;
    AttentionTerms terms;
    Global<const int32_t> cu_seqlens, blocks;
    int32_t head_dim, num_heads, context_stride;
    float scale_log2e;  // softmax_scale · log2(e): weights are powers of 2
};

// The 16-byte piece of a row, moved so that 8 neighbouring rows meet 8 different bank groups.
template <int kDim>
__device__ __forceinline__ int place(int row, int piece) {
    constexpr int kPieces = kDim / 8;
    constexpr int kRowsOfLine = kPieces >= 8 ? 1 : 8 / kPieces;
    constexpr int kMask = kPieces >= 8 ? 7 : kPieces - 1;
    return row * kDim + (piece ^ (row / kRowsOfLine & kMask)) * 8;
}

// A warp brings kRows rows of the block's head, from global row `begin` on, to row `to_row`; rows at or
// beyond `end` and columns beyond head_dim become zero.
template <typename T, int kDim, int kRows>
__device__ __forceinline__ void load_rows(const Heads<T>& heads, int32_t head_dim, int32_t begin, int32_t end,
                                          const Shared<T>& to, int to_row) {
    const int32_t offset = ptx::block_y() * head_dim;
    for (int unit = ptx::lane_id(); unit < kRows * (kDim / 8); unit += 32) {
        const int row = unit / (kDim / 8), piece = unit % (kDim / 8);
        const int32_t left = head_dim - piece * 8;
        const int inside = begin + row >= end || left <= 0 ? 0 : left < 8 ? left : 8;
        const int64_t from = static_cast<int64_t>(begin + row) * heads.stride + offset + piece * 8;
        const int at = place<kDim>(to_row + row, piece);
        if (head_dim % 8 == 0) {
            ptx::copy_async(to.address(at, 8), inside > 0 ? heads.rows.address(from, 8) : heads.rows.data,
                            inside * static_cast<int>(sizeof(T)));
        } else {
            Pack<T, 8> pack;
            for (int i = 0; i < 8; i++)
                pack.at[i] = i < inside ? heads.rows.load(from + i) : ptx::from_float<T>(0.0f);
            to.store_pack(at, pack);
        }
    }
}

// What a warp knows of its 16 queries. A lane has rows g and g + 8 of each.
template <int kDim>
struct WarpQueries {
    float context[kDim / 8][4];
    float row_max[2];  // in units of log2
    float row_sum[2];  // of this lane's keys
};

// Adds the next 8 * kTiles keys of a text, of which `left` are left from key `first_key` on. The 16 rows of
// queries, and the keys and values, begin where they are given.
template <typename T, int kDim, bool kByDistance, int kTiles>
__device__ __forceinline__ void add_keys(const AttentionMmaParams<T>& p, const Shared<T>& queries,
                                         const Shared<T>& keys, const Shared<T>& values, int32_t first_query,
                                         int32_t first_key, int32_t left, WarpQueries<kDim>& warp) {
    const int lane = ptx::lane_id(), g = lane / 4, t = lane % 4;
    float scores[kTiles][4] = {};
#pragma unroll
    for (int d = 0; d < kDim / 16; d++) {
        uint32_t a[4];
        ptx::load_matrices(a, queries, place<kDim>(lane % 16, 2 * d + lane / 16));
#pragma unroll
        for (int j = 0; j < kTiles; j += 2) {
            uint32_t b[4];
            ptx::load_matrices(b, keys, place<kDim>(8 * j + lane % 8 + lane / 16 * 8, 2 * d + lane / 8 % 2));
            const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
            ptx::multiply_add<T>(scores[j], a, low);
            ptx::multiply_add<T>(scores[j + 1], a, high);
        }
    }

    float scale = p.scale_log2e;
    if constexpr (kByDistance) {
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int e = 0; e < 4; e++) {
                const int32_t distance = first_key + 8 * j + 2 * t + e % 2 - (first_query + g + e / 2 * 8);
                const float bias = p.terms.bias(ptx::block_y(), distance);
                scores[j][e] = fmaf(scores[j][e], scale, bias * kLog2E);
                if (p.terms.is_beyond(distance)) scores[j][e] = -INFINITY;
            }
        scale = 1.0f;
    }
    if (left < 8 * kTiles) {
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int e = 0; e < 4; e++)
                if (8 * j + 2 * t + e % 2 >= left) scores[j][e] = -INFINITY;
    }
    // A row's scores lie in the four lanes of a quad. Peaks are finite: each step has a key inside, or the
    // peak before it was kLeastPeak or more.
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float peak = scores[0][2 * half];
#pragma unroll
        for (int j = 0; j < kTiles; j++)
            peak = fmaxf(peak, fmaxf(scores[j][2 * half], scores[j][2 * half + 1]));
        peak = fmaxf(peak, ptx::shuffle_xor(peak, 1));
        peak = fmaxf(peak, ptx::shuffle_xor(peak, 2)) * scale;
        if (kByDistance || first_key > 0) {
            peak = fmaxf(peak, warp.row_max[half]);
            const float rescale = ptx::exp2_approx(warp.row_max[half] - peak);
            warp.row_sum[half] *= rescale;
#pragma unroll
            for (int d = 0; d < kDim / 8; d++) {
                warp.context[d][2 * half] *= rescale;
                warp.context[d][2 * half + 1] *= rescale;
            }
        }
        warp.row_max[half] = peak;
    }
#pragma unroll
    for (int j = 0; j < kTiles; j++)
#pragma unroll
        for (int e = 0; e < 4; e++) {
            scores[j][e] = ptx::exp2_approx(fmaf(scores[j][e], scale, -warp.row_max[e / 2]));
            warp.row_sum[e / 2] += scores[j][e];
        }

#pragma unroll
    for (int j = 0; j < kTiles; j += 2) {
        const uint32_t a[4] = {ptx::pack_pair<T>(scores[j][0], scores[j][1]),
                               ptx::pack_pair<T>(scores[j][2], scores[j][3]),
                               ptx::pack_pair<T>(scores[j + 1][0], scores[j + 1][1]),
                               ptx::pack_pair<T>(scores[j + 1][2], scores[j + 1][3])};
#pragma unroll
        for (int d = 0; d < kDim / 8; d += 2) {
            uint32_t b[4];
            ptx::load_matrices_transposed(b, values, place<kDim>(8 * j + lane % 16, d + lane / 16));
            const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
            ptx::multiply_add<T>(warp.context[d], a, low);
            ptx::multiply_add<T>(warp.context[d + 1], a, high);
        }
    }
}

// The `count` keys of a text that lie in shared memory from `row` on, kKeys at a time and in tiles of 16, so
// that rows of the next text are not read.
template <typename T, int kDim, int kKeys, bool kByDistance>
__device__ __forceinline__ void add_own_keys(const AttentionMmaParams<T>& p, const Shared<T>& queries,
                                             const Shared<T>& keys, const Shared<T>& values, int row,
                                             int32_t first_query, int32_t count, WarpQueries<kDim>& warp) {
    const auto add = [&](auto sixteens, int32_t first_key) {
        constexpr int kRows = 16 * decltype(sixteens)::value;
        add_keys<T, kDim, kByDistance, kRows / 8>(p, queries,
                                                  keys.part((row + first_key) * kDim, kRows * kDim),
                                                  values.part((row + first_key) * kDim, kRows * kDim),
                                                  first_query, first_key, count - first_key, warp);
    };
    const auto add_some = [&](int32_t first_key) {
        const int32_t left = count - first_key;
        if (left <= 16) return add(std::integral_constant<int, 1>{}, first_key);
        if (kKeys == 32 || left <= 32) return add(std::integral_constant<int, 2>{}, first_key);
        if (left <= 48) return add(std::integral_constant<int, 3>{}, first_key);
        add(std::integral_constant<int, kKeys / 16>{}, first_key);
    };
    add_some(0);
    if (kKeys < kQueries && kKeys < count) add_some(kKeys);
}

template <typename T, int kDim, int kKeys, bool kByDistance>
__global__ void __launch_bounds__(kThreads, blocks_of_sm(kByDistance))
    attention_mma_kernel(AttentionMmaParams<T> p) {
    const int warp_id = ptx::warp_id(), warp_row = warp_id * kQueriesOfWarp, lane = ptx::lane_id();
    const int64_t dealt = (int64_t{ptx::block_x()} * kAttentionWarps + warp_id) * 2;
    const int32_t text = p.blocks.load(dealt), first_query = p.blocks.load(dealt + 1);
    const int32_t begin = text < 0 ? 0 : p.cu_seqlens.load(text);
    const int32_t end = text < 0 ? 0 : p.cu_seqlens.load(text + 1);
    const int32_t seq_len = end - begin, keys_of_text = text < 0 ? 0 : p.terms.keys_of(text, seq_len);
    const bool has_queries = first_query < seq_len;
    const Shared<T> shared = ptx::shared_memory<T>();
    const Shared<T> all_queries = shared.part(0, kQueries * kDim);
    const Shared<T> queries = shared.part(warp_row * kDim, kQueriesOfWarp * kDim);
    load_rows<T, kDim, kQueriesOfWarp>(p.query, p.head_dim, begin + first_query, end, all_queries, warp_row);

    WarpQueries<kDim> warp = {};
    if constexpr (kByDistance) warp.row_max[0] = warp.row_max[1] = kLeastPeak;
    if (seq_len <= kQueries) {  // as of all texts of the block
        const Shared<T> keys = shared.part(kQueries * kDim, kQueries * kDim);
        const Shared<T> values = shared.part(2 * kQueries * kDim, kQueries * kDim);
        load_rows<T, kDim, 16>(p.key, p.head_dim, begin + first_query, end, keys, warp_row);
        load_rows<T, kDim, 16>(p.value, p.head_dim, begin + first_query, end, values, warp_row);
        ptx::commit_copies();
        ptx::wait_copies<0>();
        ptx::sync_block();
        if (!has_queries) return;
        add_own_keys<T, kDim, kKeys, kByDistance>(p, queries, keys, values, warp_row - first_query,
                                                  first_query, keys_of_text, warp);
    } else {
        constexpr int kRows = kKeys / kAttentionWarps;  // that a warp loads
        const auto keys_of = [&](int32_t step) {
            return shared.part(kQueries * kDim + step % 2 * 2 * kKeys * kDim, kKeys * kDim);
        };
        const auto values_of = [&](int32_t step) {
            return shared.part(kQueries * kDim + (step % 2 * 2 + 1) * kKeys * kDim, kKeys * kDim);
        };
        const auto load_step = [&](int32_t step) {
            const int row = warp_id * kRows;
            const int32_t from = begin + step * kKeys + row, key_end = begin + keys_of_text;
            load_rows<T, kDim, kRows>(p.key, p.head_dim, from, key_end, keys_of(step), row);
            load_rows<T, kDim, kRows>(p.value, p.head_dim, from, key_end, values_of(step), row);
        };
        // The keys that a query of the block sees lie in these steps.
        int32_t first_step = 0, end_key = keys_of_text;
        if constexpr (kByDistance) {
            const int32_t block_query = first_query - warp_row, reach = p.terms.reach;
            if (block_query > reach) first_step = (block_query - reach) / kKeys;
            if (end_key - block_query > reach + kQueries) end_key = block_query + reach + kQueries;
        }
        const int32_t steps = (end_key + kKeys - 1) / kKeys;
        load_step(first_step);
        ptx::commit_copies();
        for (int32_t step = first_step; step < steps; step++) {
            if (step + 1 < steps) load_step(step + 1);
            ptx::commit_copies();
            ptx::wait_copies<1>();
            ptx::sync_block();
            if (has_queries)
                add_keys<T, kDim, kByDistance, kKeys / 8>(p, queries, keys_of(step), values_of(step),
                                                          first_query, step * kKeys,
                                                          keys_of_text - step * kKeys, warp);
            ptx::sync_block();  // before the step after next overwrites these keys
        }
        if (!has_queries) return;
    }

    // The warp's own query rows are free now: the context leaves through them, a row at a time.
    const int g = lane / 4, t = lane % 4;
    ptx::sync_warp();
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float sum = warp.row_sum[half] + ptx::shuffle_xor(warp.row_sum[half], 1);
        sum += ptx::shuffle_xor(sum, 2);
        const float inverse = 1.0f / sum;
#pragma unroll
        for (int d = 0; d < kDim / 8; d++) {
            const Pack<T, 2> pair{{ptx::from_float<T>(warp.context[d][2 * half] * inverse),
                                   ptx::from_float<T>(warp.context[d][2 * half + 1] * inverse)}};
            queries.store_pack(place<kDim>(g + 8 * half, d) + 2 * t, pair);
        }
    }
    ptx::sync_warp();
    for (int unit = lane; unit < kQueriesOfWarp * (kDim / 8); unit += 32) {
        const int row = unit / (kDim / 8), piece = unit % (kDim / 8);
        const int32_t left = p.head_dim - piece * 8;
        if (first_query + row >= seq_len || left <= 0) continue;
        const auto pack = queries.template load_pack<8>(place<kDim>(row, piece));
        const int64_t to = static_cast<int64_t>(begin + first_query + row) * p.context_stride +
                           ptx::block_y() * p.head_dim + piece * 8;
        if (p.head_dim % 8 == 0) {
            p.context.store_pack(to, pack);
        } else {
            for (int i = 0; i < 8 && i < left; i++) p.context.store(to + i, pack.at[i]);
        }
    }
}

template <typename T, int kDim, int kKeys, bool kByDistance>
void launch_dim(const AttentionMmaParams<T>& params, const DeviceBatch& batch, Stream stream) {
    static_assert(4 * kKeys >= 2 * kQueries, "the keys and values of a block of short texts have room");
    Grid grid;
    grid.x = static_cast<int>(batch.attention_blocks.count / (2 * kAttentionWarps));
    grid.y = params.num_heads;
    grid.threads = kThreads;
    grid.shared_bytes = (kQueries + 4 * kKeys) * kDim * sizeof(T);
    launch<AttentionMmaParams<T>, attention_mma_kernel<T, kDim, kKeys, kByDistance>>("attention_mma", grid,
                                                                                     stream, params);
}

template <typename T, bool kByDistance>
void launch_any_dim(const AttentionMmaParams<T>& params, const DeviceBatch& batch, Stream stream) {
    if (params.head_dim <= 16) return launch_dim<T, 16, 64, kByDistance>(params, batch, stream);
    if (params.head_dim <= 32) return launch_dim<T, 32, 64, kByDistance>(params, batch, stream);
    if (params.head_dim <= 64) return launch_dim<T, 64, 64, kByDistance>(params, batch, stream);
    launch_dim<T, 128, 32, kByDistance>(params, batch, stream);
}

}  // namespace

void attention_mma(const AttentionArgs& args, const DeviceBatch& batch, Stream stream) {
    with_half_type(args.query.rows.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const AttentionMmaParams<T> params{heads_of<T>(args.query),
                                           heads_of<T>(args.key),
                                           heads_of<T>(args.value),
                                           global<T>(args.context),
                                           attention_terms(args, batch),
                                           global(batch.cu_seqlens),
                                           global(batch.attention_blocks),
                                           args.head_dim,
                                           args.num_heads,
                                           args.context.stride,
                                           args.softmax_scale * kLog2E};
        params.terms.by_distance() ? launch_any_dim<T, true>(params, batch, stream)
                                   : launch_any_dim<T, false>(params, batch, stream);
    });
}

}  // namespace bertha::cuda
