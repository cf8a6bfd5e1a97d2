// Attention in fp32 without tensor cores, disentangled scores and attention probabilities of any precision.
//   query, key, value, context [tokens, num_heads, head_dim]
//
// A warp takes one query at a time. Of 32 keys, which lie in shared memory, each lane first computes the
// score of one, then all share the sum over values, a lane per dimension. Rows of keys are head_dim + 1 (odd)
// floats apart, so that 32 lanes reading one column of 32 rows meet 32 banks. With a window a
// block reads the keys alone that one of its queries sees.
#include "cuda/device/attention_terms.cuh"

namespace bertha::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * 32;
constexpr int kQueriesOfWarp = 4;
constexpr int kQueries = kWarps * kQueriesOfWarp;
constexpr int kKeys = 32;
constexpr int kDistances = kQueries + kKeys - 1;  // between the queries of a block and so many keys
constexpr int kMaxDims = kMaxHeadDim / 32;        // of a lane
constexpr int32_t kSequencesAtOnce = 32768;       // a grid's z is limited

template <typename T>
struct AttentionParams {
    Heads<T> query, key, value;
    Global<T> context;
    AttentionTerms terms;
    DisentangledTerms disentangled;
    Global<const int32_t> cu_seqlens;
    Global<float> scores;
    Global<const int64_t> scores_offset;
    int32_t head_dim, num_heads, context_stride, first_sequence;
    float softmax_scale;
};

// The rows of disentangled scores' tables that a tile of queries and keys meets lie in shared memory by
// distance, one table at a time: for heads of 128 columns two would not fit sm_75.
template <typename T, bool kIsDisentangled>
__global__ void __launch_bounds__(kThreads) attention_fp32_kernel(AttentionParams<T> p) {
    const int32_t sequence = p.first_sequence + ptx::block_z(), head = ptx::block_y();
    const int32_t begin = p.cu_seqlens.load(sequence), end = p.cu_seqlens.load(sequence + 1);
    const int32_t block_query = begin + ptx::block_x() * kQueries;
    if (block_query >= end) return;
    const int32_t dim = p.head_dim, row_floats = dim | 1;
    const Shared<float> shared = ptx::shared_memory<float>();
    const Shared<float> keys = shared.part(0, kKeys * row_floats);
    const Shared<float> values = shared.part(kKeys * row_floats, kKeys * row_floats);
    const Shared<float> queries = shared.part(2 * kKeys * row_floats, kQueries * row_floats);
    const auto load_rows = [&](const Shared<float>& to, const Heads<T>& heads, int32_t first, int rows) {
        for (int unit = ptx::thread_index(); unit < rows * dim; unit += kThreads) {
            const int row = unit / dim, column = unit % dim;
            const int64_t from = static_cast<int64_t>(first + row) * heads.stride + head * dim + column;
            to.store(row * row_floats + column,
                     first + row < end ? ptx::to_float(heads.rows.load(from)) : 0.0f);
        }
    };
    load_rows(queries, p.query, block_query, kQueries);
    const Shared<float> distances = shared.part((2 * kKeys + kQueries) * row_floats,
                                                kIsDisentangled ? kDistances * row_floats : 0);
    // Row i: of the distance query - key that is i - (kKeys - 1) more than that of the first of both.
    const auto load_distances = [&](const Global<const float>& table, int32_t first_key) {
        for (int unit = ptx::thread_index(); unit < kDistances * dim; unit += kThreads) {
            const int row = unit / dim, column = unit % dim;
            const int64_t from = p.disentangled.row(head, block_query - first_key + row - (kKeys - 1));
            distances.store(row * row_floats + column, table.load(from + column));
        }
    };
    const int lane = ptx::lane_id(), first_row = ptx::warp_id() * kQueriesOfWarp;
    float context[kQueriesOfWarp][kMaxDims] = {};
    float row_max[kQueriesOfWarp], row_sum[kQueriesOfWarp] = {};
    for (int i = 0; i < kQueriesOfWarp; i++) row_max[i] = kLeastPeak;
    const int32_t seen = begin + p.terms.keys_of(sequence, end - begin);
    const int32_t first_seen = block_query - begin > p.terms.reach ? block_query - p.terms.reach : begin;
    const int32_t last_seen = seen - block_query > p.terms.reach + kQueries
                                  ? block_query + p.terms.reach + kQueries
                                  : seen;
    for (int32_t first_key = begin + (first_seen - begin) / kKeys * kKeys; first_key < last_seen;
         first_key += kKeys) {
        ptx::sync_block();
        load_rows(keys, p.key, first_key, kKeys);
        load_rows(values, p.value, first_key, kKeys);
        const bool has_content = kIsDisentangled && p.disentangled.content.present();
        const bool has_position = kIsDisentangled && p.disentangled.position.present();
        if (has_content) load_distances(p.disentangled.content, first_key);
        ptx::sync_block();
        float scores[kQueriesOfWarp] = {};
        const auto add_product = [&](int i, const Shared<float>& rows, int row, const Shared<float>& others,
                                     int other) {
            for (int column = 0; column < dim; column++)
                scores[i] = fmaf(rows.load(row * row_floats + column),
                                 others.load(other * row_floats + column), scores[i]);
        };
#pragma unroll
        for (int i = 0; i < kQueriesOfWarp; i++) {
            add_product(i, queries, first_row + i, keys, lane);
            if (has_content)
                add_product(i, queries, first_row + i, distances, first_row + i - lane + kKeys - 1);
        }
        if (has_position) {
            ptx::sync_block();
            load_distances(p.disentangled.position, first_key);
            ptx::sync_block();
#pragma unroll
            for (int i = 0; i < kQueriesOfWarp; i++)
                add_product(i, keys, lane, distances, first_row + i - lane + kKeys - 1);
        }
#pragma unroll
        for (int i = 0; i < kQueriesOfWarp; i++) {
            const int32_t distance = first_key + lane - (block_query + first_row + i);
            float score = scores[i] * p.softmax_scale + p.terms.bias(head, distance);
            if (first_key + lane >= seen || p.terms.is_beyond(distance)) score = -INFINITY;
            const float peak = fmaxf(row_max[i], ptx::warp_max(score));
            const float rescale = expf(row_max[i] - peak), weight = expf(score - peak);
            row_max[i] = peak;
            row_sum[i] = row_sum[i] * rescale + ptx::warp_sum(weight);
#pragma unroll
            for (int d = 0; d < kMaxDims; d++) context[i][d] *= rescale;
            for (int key = 0; key < kKeys; key++) {
                const float w = ptx::shuffle(weight, key);
#pragma unroll
                for (int d = 0; d < kMaxDims; d++)
                    if (32 * d + lane < dim)
                        context[i][d] = fmaf(w, values.load(key * row_floats + 32 * d + lane), context[i][d]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < kQueriesOfWarp; i++) {
        const int32_t query = block_query + first_row + i;
        if (query >= end) continue;
#pragma unroll
        for (int d = 0; d < kMaxDims; d++)
            if (32 * d + lane < dim)
                p.context.store(static_cast<int64_t>(query) * p.context_stride + head * dim + 32 * d + lane,
                                ptx::from_float<T>(context[i][d] / row_sum[i]));
    }
}

// One warp per query: scores, their peak, their exponentials and sum, all in the output row.
template <typename T>
__global__ void attention_scores_kernel(AttentionParams<T> p) {
    const int32_t sequence = p.first_sequence + ptx::block_z(), head = ptx::block_y();
    const int32_t begin = p.cu_seqlens.load(sequence), seq_len = p.cu_seqlens.load(sequence + 1) - begin;
    const int32_t query = ptx::block_x() * kWarps + ptx::warp_id();
    if (query >= seq_len) return;
    const int32_t dim = p.head_dim, keys = p.terms.keys_of(sequence, seq_len);
    const int64_t out = p.scores_offset.load(sequence) +
                        (static_cast<int64_t>(head) * seq_len + query) * seq_len;
    const int64_t q = static_cast<int64_t>(begin + query) * p.query.stride + head * dim;
    float peak = -INFINITY, sum = 0.0f;
    for (int32_t key = ptx::lane_id(); key < seq_len; key += 32) {
        const int64_t k = static_cast<int64_t>(begin + key) * p.key.stride + head * dim;
        float score = 0.0f;
        for (int32_t column = 0; column < dim; column++)
            score = fmaf(ptx::to_float(p.query.rows.load(q + column)),
                         ptx::to_float(p.key.rows.load(k + column)), score);
        const DisentangledTerms& d = p.disentangled;
        const int64_t row = d.buckets.present() ? d.row(head, query - key) : 0;
        for (int32_t column = 0; d.content.present() && column < dim; column++)
            score = fmaf(ptx::to_float(p.query.rows.load(q + column)), d.content.load(row + column), score);
        for (int32_t column = 0; d.position.present() && column < dim; column++)
            score = fmaf(ptx::to_float(p.key.rows.load(k + column)), d.position.load(row + column), score);
        score = score * p.softmax_scale + p.terms.bias(head, key - query);
        if (key >= keys || p.terms.is_beyond(key - query)) score = -INFINITY;
        p.scores.store(out + key, score);
        peak = fmaxf(peak, score);
    }
    peak = ptx::warp_max(peak);
    for (int32_t key = ptx::lane_id(); key < seq_len; key += 32) {
        const float weight = expf(p.scores.load(out + key) - peak);
        p.scores.store(out + key, weight);
        sum += weight;
    }
    sum = ptx::warp_sum(sum);
    for (int32_t key = ptx::lane_id(); key < seq_len; key += 32)
        p.scores.store(out + key, p.scores.load(out + key) / sum);
}

template <typename T>
AttentionParams<T> params_of(const AttentionArgs& args, const DeviceBatch& batch) {
    return {heads_of<T>(args.query),
            heads_of<T>(args.key),
            heads_of<T>(args.value),
            global<T>(args.context),
            attention_terms(args, batch),
            disentangled_terms(args),
            global(batch.cu_seqlens),
            {args.scores, args.scores_count},
            {args.scores_offset, batch.batch_size},
            args.head_dim,
            args.num_heads,
            args.context.stride,
            0,
            args.softmax_scale};
}

template <typename T, void (*kKernel)(AttentionParams<T>)>
void launch_all(const char* name, AttentionParams<T> params, Grid grid, const DeviceBatch& batch,
                Stream stream) {
    grid.y = params.num_heads;
    grid.threads = kThreads;
    for (int32_t first = 0; first < batch.batch_size; first += kSequencesAtOnce) {
        params.first_sequence = first;
        grid.z = batch.batch_size - first < kSequencesAtOnce ? batch.batch_size - first : kSequencesAtOnce;
        launch<AttentionParams<T>, kKernel>(name, grid, stream, params);
    }
}

}  // namespace

void attention_fp32(const AttentionArgs& args, const DeviceBatch& batch, Stream stream) {
    const bool is_disentangled = args.disentangled.buckets.data != nullptr;
    const int rows = 2 * kKeys + kQueries + (is_disentangled ? kDistances : 0);
    Grid grid;
    grid.x = static_cast<int>(ceil_div(batch.max_seq_len, kQueries));
    grid.shared_bytes = static_cast<size_t>(rows) * static_cast<size_t>(args.head_dim | 1) * sizeof(float);
    if (!is_disentangled)
        return launch_all<float, attention_fp32_kernel<float, false>>(
            "attention_fp32", params_of<float>(args, batch), grid, batch, stream);
    with_type(args.query.rows.type, [&](auto as) {
        using T = typename decltype(as)::type;
        launch_all<T, attention_fp32_kernel<T, true>>("attention_disentangled", params_of<T>(args, batch),
                                                      grid, batch, stream);
    });
}

void attention_scores(const AttentionArgs& args, const DeviceBatch& batch, Stream stream) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(batch.max_seq_len, kWarps));
    with_type(args.query.rows.type, [&](auto as) {
        using T = typename decltype(as)::type;
        launch_all<T, attention_scores_kernel<T>>("attention_scores", params_of<T>(args, batch), grid, batch,
                                                  stream);
    });
}

void attention(const AttentionArgs& args, const DeviceBatch& batch, Stream stream) {
    const bool is_disentangled = args.disentangled.buckets.data != nullptr;
    args.query.rows.type == Type::kFloat || is_disentangled ? attention_fp32(args, batch, stream)
                                                            : attention_mma(args, batch, stream);
}

}  // namespace bertha::cuda
