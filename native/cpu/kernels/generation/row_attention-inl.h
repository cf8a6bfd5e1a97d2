// Attention of one query to keys and values in rows of their own: a decoder's step. Nothing is packed: each
// row is read once.

inline void row_attention(const RowAttentionArgs& args) {
    const auto row = [&](int64_t i) { return (args.rows != nullptr ? args.rows[i] : i) * args.stride; };
    for (int64_t i = 0; i < args.count; i++)
        args.scratch[i] = dot_product(args.query, args.keys + row(i), args.head_dim);
    const VecF inverse = set(1.0f / exponentiate(args.scratch, args.count, args.softmax_scale));
    for (int64_t column = 0; column < args.head_dim; column += kLanes) {
        const int64_t left = args.head_dim - column;
        VecF total = zero();
        for (int64_t i = 0; i < args.count; i++) {
            const float* value = args.values + row(i) + column;
            total = fma(set(args.scratch[i]), left >= kLanes ? load(value) : load_first(value, left), total);
        }
        total = mul(total, inverse);
        if (left >= kLanes)
            store(args.context + column, total);
        else
            store_first(args.context + column, total, left);
    }
}
