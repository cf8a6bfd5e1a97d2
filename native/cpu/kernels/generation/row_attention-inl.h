// Attention of queries to keys and values in rows of their own: a decoder's step. Nothing is packed: each row
// is read once for all queries of a tile. A query's numbers are the same whatever others there are.

template <int R>
inline void row_attention_tile(const RowAttentionArgs& args, const float* query, float* context) {
    const auto row = [&](int64_t i) { return (args.rows != nullptr ? args.rows[i] : i) * args.stride; };
    for (int64_t i = 0; i < args.count; i++) {
        const float* key = args.keys + row(i);
        BERTHA_UNROLL
        for (int r = 0; r < R; r++)
            args.scratch[r * args.count + i] = dot_product(query + r * args.query_stride, key, args.head_dim);
    }
    VecF inverse[R];
    for (int r = 0; r < R; r++)
        inverse[r] = set(1.0f / exponentiate(args.scratch + r * args.count, args.count, args.softmax_scale));
    for (int64_t column = 0; column < args.head_dim; column += kLanes) {
        const int64_t left = args.head_dim - column;
        VecF total[R];
        BERTHA_UNROLL
        for (int r = 0; r < R; r++) total[r] = zero();
        for (int64_t i = 0; i < args.count; i++) {
            const float* value = args.values + row(i) + column;
            const VecF own = left >= kLanes ? load(value) : load_first(value, left);
            BERTHA_UNROLL
            for (int r = 0; r < R; r++) total[r] = fma(set(args.scratch[r * args.count + i]), own, total[r]);
        }
        BERTHA_UNROLL
        for (int r = 0; r < R; r++) {
            float* output = context + r * args.query_stride + column;
            const VecF mean = mul(total[r], inverse[r]);
            if (left >= kLanes)
                store(output, mean);
            else
                store_first(output, mean, left);
        }
    }
}

inline void row_attention(const RowAttentionArgs& args) {
    constexpr auto kFull = static_cast<int>(kSharedQueries);
    int64_t query = 0;
    const auto tile = [&](auto run) {
        run(args, args.query + query * args.query_stride, args.context + query * args.query_stride);
    };
    for (; query + kFull <= args.queries; query += kFull) tile(row_attention_tile<kFull>);
    if (args.queries - query == 3) return tile(row_attention_tile<3>);
    if (args.queries - query == 2) return tile(row_attention_tile<2>);
    if (args.queries - query == 1) tile(row_attention_tile<1>);
}
