// What positions change in attention: the turned rows of queries and keys (RoPE), and the keys that a tile of
// queries meets.

inline int64_t turned_floats(const AttentionArgs& args) {
    return args.rotary == nullptr ? 0 : 2 * args.seq_len * args.head_dim;
}

// dst [seq_len, head_dim] = the rows of x, each pair of its columns turned by its position: (a, b) ->
// (a cos - b sin, b cos + a sin); direction -1 turns back. dst may be x.
inline void turn_rows(const AttentionArgs& args, const float* x, int64_t stride, float* dst,
                      int64_t dst_stride, float direction) {
    const int64_t half = args.rotary_dims / 2;
    const VecF sign = set(direction);
    for (int64_t row = 0; row < args.seq_len; row++, x += stride, dst += dst_stride) {
        const float* cosines = args.rotary + row * args.rotary_dims;
        for (int64_t i = 0; i < half; i += kLanes) {
            const int64_t left = half - i;
            const auto get = [&](const float* p) { return left >= kLanes ? load(p) : load_first(p, left); };
            const VecF a = get(x + i), b = get(x + half + i), cosine = get(cosines + i),
                       sine = mul(get(cosines + half + i), sign);
            const VecF first = sub(mul(a, cosine), mul(b, sine)), second = fma(b, cosine, mul(a, sine));
            if (left >= kLanes) {
                store(dst + i, first);
                store(dst + half + i, second);
            } else {
                store_first(dst + i, first, left);
                store_first(dst + half + i, second, left);
            }
        }
        for (int64_t i = args.rotary_dims; i < args.head_dim; i++) dst[i] = x[i];
    }
}

// Makes query and key of args those that have turned, in rows [2, seq_len, head_dim] of fp32: whatever is
// rounded to fewer bits, is rounded after it.
inline void turn(AttentionArgs& args, float* rows) {
    if (args.rotary == nullptr) return;
    float* keys = rows + args.seq_len * args.head_dim;
    turn_rows(args, args.query, args.query_stride, rows, args.head_dim, 1.0f);
    turn_rows(args, args.key, args.key_stride, keys, args.head_dim, 1.0f);
    args.query = rows;
    args.key = keys;
    args.query_stride = args.key_stride = args.head_dim;
}

struct KeyRange {
    int64_t begin, end;
    int64_t count() const { return end - begin; }
};

// The keys of a tile of queries: those that any of them sees, and the whole panels that these lie in. The
// others are never read, so that the cost of a window does not grow with the sequence, and what comes later
// costs a causal query nothing.
struct TileKeys {
    KeyRange seen, panels;
    int64_t stride() const { return padded_columns(panels.count()); }
};

// The part of a range that lies within `all` rows, and its whole panels.
inline TileKeys in_panels(KeyRange seen, int64_t all, int64_t panel_width) {
    if (seen.begin < 0) seen.begin = 0;
    if (seen.end > all) seen.end = all;
    const int64_t end = (seen.end + panel_width - 1) / panel_width * panel_width;
    return {seen, {seen.begin / panel_width * panel_width, end < all ? end : all}};
}

inline bool sees_all_keys(const AttentionArgs& args) { return args.window == 0 && !args.causal; }

inline TileKeys keys_of(const AttentionArgs& args, int64_t query, int64_t rows,
                        int64_t panel_width = kPanelWidth) {
    const int64_t num_keys = args.num_keys;
    if (sees_all_keys(args)) return {{0, num_keys}, {0, num_keys}};
    const int64_t window = args.window == 0 ? num_keys : args.window;
    return in_panels({query - window, query + rows + (args.causal ? 0 : window)}, num_keys, panel_width);
}
