// context = softmax(q kᵀ · scale + bias) v per sequence and head, on the tensor cores; no padding, no mask
// tensor.
//   qkv [tokens, 3, num_heads, head_dim], context [tokens, num_heads, head_dim], fp16 or bf16
//
// A block takes 64 queries of one head, 16 a warp, and walks over the keys 64 at a time (32 for head_dim >
// 64, so that sm_75's 64 KiB suffice), the next keys and values on their way while the present ones are used.
// A sequence of up to 64 tokens is one step: its whole key range lies in shared memory, its softmax is exact
// and nothing is rescaled. Longer ones keep a running row_max and row_sum. Scores stay in registers: the
// layout of mma's result is that of its first operand. What a text gets depends on its own rows alone.
//
// head_dim is padded with zeros to 16, 32, 64 or 128 in shared memory only. A multiple of 8 comes by
// cp.async; any other has rows that are not aligned and comes element by element.
#include "cuda/types.cuh"

namespace bertha::cuda {
namespace {

constexpr int kQueries = 64;
constexpr int kThreads = 128;
constexpr float kLog2E = 1.4426950408889634f;
constexpr int kBiasWidth = 2 * kFarthest + 1;

template <typename T>
struct AttentionMmaParams {
    Global<const T> qkv;
    Global<T> context;
    Global<const float> relative_bias;
    Global<const int32_t> cu_seqlens;
    int32_t head_dim, num_heads, qkv_stride, context_stride, first_sequence;
    float softmax_scale;
};

// The 16-byte piece of a row, moved so that 8 neighbouring rows meet 8 different bank groups.
template <int kDim>
__device__ __forceinline__ int place(int row, int piece) {
    constexpr int kPieces = kDim / 8;
    constexpr int kRowsOfLine = kPieces >= 8 ? 1 : 8 / kPieces;
    constexpr int kMask = kPieces >= 8 ? 7 : kPieces - 1;
    return row * kDim + (piece ^ (row / kRowsOfLine & kMask)) * 8;
}

// `rows` rows of a head from global row `begin` on, element `offset`; rows at or beyond `end` and columns
// beyond head_dim become zero.
template <typename T, int kDim, int kRows>
__device__ __forceinline__ void load_rows(const AttentionMmaParams<T>& p, int32_t begin, int32_t end,
                                          int32_t offset, const Shared<T>& to) {
    for (int unit = ptx::thread_index(); unit < kRows * (kDim / 8); unit += kThreads) {
        const int row = unit / (kDim / 8), piece = unit % (kDim / 8);
        const int32_t left = p.head_dim - piece * 8;
        const int inside = begin + row >= end || left <= 0 ? 0 : left < 8 ? left : 8;
        const int64_t from = static_cast<int64_t>(begin + row) * p.qkv_stride + offset + piece * 8;
        const int at = place<kDim>(row, piece);
        if (p.head_dim % 8 == 0) {
            ptx::copy_async(to.address(at, 8), inside > 0 ? p.qkv.address(from, 8) : p.qkv.data,
                            inside * static_cast<int>(sizeof(T)));
        } else {
            Pack<T, 8> pack;
            for (int i = 0; i < 8; i++)
                pack.at[i] = i < inside ? p.qkv.load(from + i) : ptx::from_float<T>(0.0f);
            to.store_pack(at, pack);
        }
    }
}

template <typename T, int kDim, int kKeys>
__global__ void __launch_bounds__(kThreads) attention_mma_kernel(AttentionMmaParams<T> p) {
    constexpr int kTiles = kKeys / 8;
    const int32_t sequence = p.first_sequence + ptx::block_z(), head = ptx::block_y();
    const int32_t begin = p.cu_seqlens.load(sequence), end = p.cu_seqlens.load(sequence + 1);
    const int32_t first_query = begin + ptx::block_x() * kQueries;
    if (first_query >= end) return;
    const int32_t hidden_size = p.num_heads * p.head_dim, offset = head * p.head_dim;
    const Shared<T> shared = ptx::shared_memory<T>();
    const Shared<T> queries = shared.part(0, kQueries * kDim);
    const auto keys_of = [&](int32_t step) {
        return shared.part(kQueries * kDim + step % 2 * 2 * kKeys * kDim, kKeys * kDim);
    };
    const auto values_of = [&](int32_t step) {
        return shared.part(kQueries * kDim + (step % 2 * 2 + 1) * kKeys * kDim, kKeys * kDim);
    };
    const auto load_step = [&](int32_t step) {
        load_rows<T, kDim, kKeys>(p, begin + step * kKeys, end, hidden_size + offset, keys_of(step));
        load_rows<T, kDim, kKeys>(p, begin + step * kKeys, end, 2 * hidden_size + offset, values_of(step));
        ptx::commit_copies();
    };
    load_rows<T, kDim, kQueries>(p, first_query, end, offset, queries);
    load_step(0);

    const int lane = ptx::lane_id(), warp_row = ptx::warp_id() * 16;
    const int g = lane / 4, t = lane % 4;
    const int32_t steps = (end - begin + kKeys - 1) / kKeys;
    float context[kDim / 8][4] = {};
    float row_max[2] = {-INFINITY, -INFINITY}, row_sum[2] = {0.0f, 0.0f};
    for (int32_t step = 0; step < steps; step++) {
        if (step + 1 < steps)
            load_step(step + 1);
        else
            ptx::commit_copies();
        ptx::wait_copies<1>();
        ptx::sync_block();
        const Shared<T> keys = keys_of(step), values = values_of(step);

        float scores[kTiles][4] = {};
#pragma unroll
        for (int d = 0; d < kDim / 16; d++) {
            uint32_t a[4];
            ptx::load_matrices(a, queries, place<kDim>(warp_row + lane % 16, 2 * d + lane / 16));
#pragma unroll
            for (int j = 0; j < kTiles; j += 2) {
                uint32_t b[4];
                ptx::load_matrices(b, keys,
                                   place<kDim>(8 * j + lane % 8 + lane / 16 * 8, 2 * d + lane / 8 % 2));
                const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
                ptx::multiply_add<T>(scores[j], a, low);
                ptx::multiply_add<T>(scores[j + 1], a, high);
            }
        }

        float peak[2] = {row_max[0], row_max[1]};
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int e = 0; e < 4; e++) {
                const int32_t key = begin + step * kKeys + 8 * j + 2 * t + e % 2;
                float logit = scores[j][e] * p.softmax_scale;
                if (p.relative_bias.present()) {
                    int32_t distance = key - (first_query + warp_row + g + e / 2 * 8);
                    distance = distance < -kFarthest  ? -kFarthest
                               : distance > kFarthest ? kFarthest
                                                      : distance;
                    logit += p.relative_bias.load(head * kBiasWidth + kFarthest + distance);
                }
                scores[j][e] = key < end ? logit : -INFINITY;
                peak[e / 2] = fmaxf(peak[e / 2], scores[j][e]);
            }
        // A row's scores lie in the four lanes of a quad. Each step has a key inside, so peaks are finite.
#pragma unroll
        for (int half = 0; half < 2; half++) {
            peak[half] = fmaxf(peak[half], ptx::shuffle_xor(peak[half], 1));
            peak[half] = fmaxf(peak[half], ptx::shuffle_xor(peak[half], 2));
            const float rescale = ptx::exp2_approx((row_max[half] - peak[half]) * kLog2E);
            row_max[half] = peak[half];
            row_sum[half] *= rescale;
#pragma unroll
            for (int d = 0; d < kDim / 8; d++) {
                context[d][2 * half] *= rescale;
                context[d][2 * half + 1] *= rescale;
            }
        }
#pragma unroll
        for (int j = 0; j < kTiles; j++)
#pragma unroll
            for (int e = 0; e < 4; e++) {
                scores[j][e] = ptx::exp2_approx((scores[j][e] - row_max[e / 2]) * kLog2E);
                row_sum[e / 2] += scores[j][e];
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
                ptx::multiply_add<T>(context[d], a, low);
                ptx::multiply_add<T>(context[d + 1], a, high);
            }
        }
        ptx::sync_block();  // before the step after next overwrites these keys
    }

    // The warp's own query rows are free now: the context leaves through them, a row at a time.
#pragma unroll
    for (int half = 0; half < 2; half++) {
        float sum = row_sum[half] + ptx::shuffle_xor(row_sum[half], 1);
        sum += ptx::shuffle_xor(sum, 2);
        const float inverse = 1.0f / sum;
#pragma unroll
        for (int d = 0; d < kDim / 8; d++) {
            const Pack<T, 2> pair{{ptx::from_float<T>(context[d][2 * half] * inverse),
                                   ptx::from_float<T>(context[d][2 * half + 1] * inverse)}};
            queries.store_pack(place<kDim>(warp_row + g + 8 * half, d) + 2 * t, pair);
        }
    }
    ptx::sync_warp();
    for (int unit = lane; unit < 16 * (kDim / 8); unit += 32) {
        const int row = warp_row + unit / (kDim / 8), piece = unit % (kDim / 8);
        const int32_t left = p.head_dim - piece * 8;
        if (first_query + row >= end || left <= 0) continue;
        const auto pack = queries.template load_pack<8>(place<kDim>(row, piece));
        const int64_t to = static_cast<int64_t>(first_query + row) * p.context_stride + offset + piece * 8;
        if (p.head_dim % 8 == 0) {
            p.context.store_pack(to, pack);
        } else {
            for (int i = 0; i < 8 && i < left; i++) p.context.store(to + i, pack.at[i]);
        }
    }
}

template <typename T, int kDim, int kKeys>
void launch_dim(AttentionMmaParams<T> params, const DeviceBatch& batch, Stream stream) {
    constexpr int32_t kSequencesAtOnce = 32768;  // a grid's z is limited
    Grid grid;
    grid.x = static_cast<int>(ceil_div(batch.max_seq_len, kQueries));
    grid.y = params.num_heads;
    grid.threads = kThreads;
    grid.shared_bytes = (kQueries + 4 * kKeys) * kDim * sizeof(T);
    for (int32_t first = 0; first < batch.batch_size; first += kSequencesAtOnce) {
        params.first_sequence = first;
        grid.z = batch.batch_size - first < kSequencesAtOnce ? batch.batch_size - first : kSequencesAtOnce;
        launch<AttentionMmaParams<T>, attention_mma_kernel<T, kDim, kKeys>>("attention_mma", grid, stream,
                                                                            params);
    }
}

}  // namespace

void attention_mma(const AttentionArgs& args, const DeviceBatch& batch, Stream stream) {
    with_half_type(args.qkv.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const AttentionMmaParams<T> params{
            global<const T>(args.qkv), global<T>(args.context), global(args.relative_bias),
            global(batch.cu_seqlens),  args.head_dim,           args.num_heads,
            args.qkv.stride,           args.context.stride,     0,
            args.softmax_scale};
        if (args.head_dim <= 16) return launch_dim<T, 16, 64>(params, batch, stream);
        if (args.head_dim <= 32) return launch_dim<T, 32, 64>(params, batch, stream);
        if (args.head_dim <= 64) return launch_dim<T, 64, 64>(params, batch, stream);
        launch_dim<T, 128, 32>(params, batch, stream);
    });
}

}  // namespace bertha::cuda
