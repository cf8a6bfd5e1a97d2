// output [tokens, 2, num_heads, head_dim] = queries and keys turned by their rows' places in the sequences
// (RoPE as in GPT-NeoX): columns i and i + pairs of a head become (a cos - b sin, b cos + a sin), columns
// from 2 * pairs on stay.
//
// A warp takes a row. A lane turns kPack pairs of columns at a time where heads, and their halves that turn,
// consist of whole packs of 16 bytes, else one pair.
#include "cuda/device/types.cuh"

namespace bertha::cuda {
namespace {

constexpr int kWarps = 4;

template <typename T>
struct TurnParams {
    Global<const T> query, key;
    Global<T> output;
    Global<const float> turns;
    Global<const int32_t> places;  // [tokens]
    int64_t tokens;
    int32_t query_stride, key_stride, output_stride, num_heads, head_dim, pairs;
};

template <int kPack, typename T>
__device__ __forceinline__ void turn_head(const TurnParams<T>& p, const Global<const T>& input, int64_t from,
                                          int64_t to, int64_t turn, int32_t column) {
    if (column >= 2 * p.pairs) {
        const auto pack = input.template load_pack<kPack>(from + column);
        Pack<T, kPack> same;
#pragma unroll
        for (int i = 0; i < kPack; i++) same.at[i] = pack.at[i];
        return p.output.store_pack(to + column, same);
    }
    if (column >= p.pairs) return;
    const auto a = input.template load_pack<kPack>(from + column);
    const auto b = input.template load_pack<kPack>(from + p.pairs + column);
    Pack<T, kPack> first, second;
#pragma unroll
    for (int i = 0; i < kPack; i++) {
        const float cosine = p.turns.load(turn + column + i),
                    sine = p.turns.load(turn + p.pairs + column + i);
        const float x = ptx::to_float(a.at[i]), y = ptx::to_float(b.at[i]);
        first.at[i] = ptx::from_float<T>(x * cosine - y * sine);
        second.at[i] = ptx::from_float<T>(y * cosine + x * sine);
    }
    p.output.store_pack(to + column, first);
    p.output.store_pack(to + p.pairs + column, second);
}

template <typename T, int kPack>
__global__ void turn_heads_kernel(TurnParams<T> p) {
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * kWarps + ptx::warp_id();
    if (row >= p.tokens) return;
    const int64_t turn = static_cast<int64_t>(p.places.load(row)) * 2 * p.pairs, to = row * p.output_stride;
    const int32_t hidden_size = p.num_heads * p.head_dim, packs = p.head_dim / kPack;
    for (int32_t unit = ptx::lane_id(); unit < p.num_heads * packs; unit += 32) {
        const int32_t head = unit / packs * p.head_dim, column = unit % packs * kPack;
        turn_head<kPack>(p, p.query, row * p.query_stride + head, to + head, turn, column);
        turn_head<kPack>(p, p.key, row * p.key_stride + head, to + hidden_size + head, turn, column);
    }
}

}  // namespace

void turn_heads(const TurnArgs& args, const DeviceBatch& batch, Stream stream) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(args.output.rows, kWarps));
    grid.threads = kWarps * 32;
    with_type(args.output.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const TurnParams<T> params{global<const T>(args.query),
                                   global<const T>(args.key),
                                   global<T>(args.output),
                                   global(args.turns),
                                   global(batch.rows),
                                   args.output.rows,
                                   args.query.rows.stride,
                                   args.key.rows.stride,
                                   args.output.stride,
                                   args.num_heads,
                                   args.head_dim,
                                   args.pairs};
        constexpr int kPack = 16 / sizeof(T);
        const bool in_packs = args.head_dim % kPack == 0 && args.pairs % kPack == 0;
        in_packs ? launch<TurnParams<T>, turn_heads_kernel<T, kPack>>("turn_heads", grid, stream, params)
                 : launch<TurnParams<T>, turn_heads_kernel<T, 1>>("turn_heads", grid, stream, params);
    });
}

}  // namespace bertha::cuda
