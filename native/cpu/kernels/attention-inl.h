// softmax(q kᵀ · scale) v for one head of one sequence, with no padding and no mask.
//
// Keys are packed like a weight (columns = keys) and values as panels [keys][head_dim], so that both products
// run on the tiles of gemm-inl.h. A tile of query rows meets all keys at once: its probabilities stay in L1
// (8 rows x 512 keys = 16 KB). Powers are taken of the scores as they are, in the registers of the product:
// floats need no row maximum as long as |score| stays below 44 (64 in powers of two). Where one does not, the
// tile is done again row by row, with the maximum. The division by the row sum happens on the short output
// row.

struct AttentionScratch {
    float* keys;    // [head_dim][padded seq_len], in panels
    float* values;  // [seq_len][padded head_dim], in panels
    float* scores;  // [kTileRows][padded seq_len]
};

inline int64_t attention_scratch_floats(int64_t seq_len, int64_t head_dim, AttentionScratch* parts,
                                        float* base) {
    const int64_t keys = padded_columns(seq_len) * head_dim;
    const int64_t values = padded_columns(head_dim) * seq_len;
    const int64_t scores = kTileRows * padded_columns(seq_len);
    if (parts != nullptr) {
        parts->keys = base;
        parts->values = base + (keys + 15) / 16 * 16;
        parts->scores = parts->values + (values + 15) / 16 * 16;
    }
    return (keys + 15) / 16 * 16 + (values + 15) / 16 * 16 + scores;
}

inline int64_t attention_scratch(int64_t seq_len, int64_t head_dim) {
    return attention_scratch_floats(seq_len, head_dim, nullptr, nullptr);
}

inline void pack_keys(const float* k, int64_t stride, int64_t seq_len, int64_t head_dim, float* dst) {
    for (int64_t first = 0; first < seq_len; first += kPanelWidth) {
        const int64_t valid = seq_len - first < kPanelWidth ? seq_len - first : kPanelWidth;
        const int64_t width = padded_columns(valid);
        float* panel = dst + first * head_dim;
        for (int64_t key = 0; key < width; key += kLanes) {
            const float* rows = k + (first + key) * stride;
            int64_t i = 0;
            if (key + kLanes <= valid)
                for (; i + kLanes <= head_dim; i += kLanes)
                    transpose(rows + i, stride, panel + i * width + key, width);
            for (; i < head_dim; i++)
                for (int64_t lane = 0; lane < kLanes; lane++)
                    panel[i * width + key + lane] = key + lane < valid ? rows[lane * stride + i] : 0.0f;
        }
    }
}

inline void pack_values(const float* v, int64_t stride, int64_t seq_len, int64_t head_dim, float* dst) {
    for (int64_t first = 0; first < head_dim; first += kPanelWidth) {
        const int64_t valid = head_dim - first < kPanelWidth ? head_dim - first : kPanelWidth;
        const int64_t width = padded_columns(valid);
        float* panel = dst + first * seq_len;
        for (int64_t row = 0; row < seq_len; row++) {
            for (int64_t column = 0; column < width; column += kLanes) {
                const float* source = v + row * stride + first + column;
                store(panel + row * width + column,
                      column + kLanes <= valid ? load(source) : load_first(source, valid - column));
            }
        }
    }
}

// scores[0..n) -> 2^(log2(e) · scale · (score - max)); returns the sum. lse, unless null: log2 of the sum of
// 2^(log2(e) · scale · score).
inline float exponentiate(float* scores, int64_t n, float scale, float* lse = nullptr) {
    VecF top = set(-3.4e38f);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) top = max(top, load(scores + i));
    if (i < n) top = max(top, keep_first_or(load_first(scores + i, n - i), n - i, top));
    const float factor = scale * kLog2E;
    // Distances to the peak first: of logits of 1e4, the product alone would be rounded by 1e-3.
    const VecF factors = set(factor), peak = set(largest(top));
    VecF total = zero();
    for (i = 0; i + kLanes <= n; i += kLanes) {
        const VecF e = exp2_clamped(mul(sub(load(scores + i), peak), factors));
        store(scores + i, e);
        total = add(total, e);
    }
    if (i < n) {
        const VecF e = keep_first(exp2_clamped(mul(sub(load_first(scores + i, n - i), peak), factors)),
                                  n - i);
        store_first(scores + i, e, n - i);
        total = add(total, e);
    }
    const float all = sum(total);
    if (lse != nullptr) *lse = largest(top) * factor + __builtin_log2f(all);
    return all;
}

// Adds the biases to one query row's scores, if there are any; returns what scales the result.
inline float add_relative_bias(const AttentionArgs& args, float* scores, int64_t query) {
    if (args.relative_bias == nullptr) return args.softmax_scale;
    const float* bias = args.relative_bias + args.seq_len - 1 - query;
    for (int64_t key = 0; key < args.seq_len; key++)
        scores[key] = scores[key] * args.softmax_scale + bias[key];
    return 1.0f;
}

// Turns one query row's scores into unnormalised probabilities and returns their sum; lse as exponentiate's.
inline float softmax_row(const AttentionArgs& args, float* scores, int64_t query, float* lse = nullptr) {
    const float scale = add_relative_bias(args, scores, query);
    return exponentiate(scores, args.seq_len, scale, lse);
}

// A tile's sums x factor for each row.
template <int R, int V>
inline void context_tile(const Tile<float>& tile, const float* factors) {
    VecF sums[R][V];
    multiply_tile<float, R, V, 1, 0>(tile, sums);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        float* output = tile.output + r * tile.output_stride;
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const int64_t left = tile.columns - v * kLanes;
            const VecF y = mul(sums[r][v], set(factors[r]));
            if (left >= kLanes) {
                store(output + v * kLanes, y);
            } else {
                store_first(output + v * kLanes, y, left);
            }
        }
    }
}

// Powers of a tile's scores; adds them to the rows' totals.
template <int R, int V>
inline void powers_tile(const Tile<float>& tile, float factor, VecF* totals, VecI& seen) {
    VecF sums[R][V];
    multiply_tile<float, R, V, 1, 0>(tile, sums);
    const VecF factors = set(factor);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const int64_t left = tile.columns - v * kLanes;
            VecF e = exp2_in_range(sums[r][v], factors, seen);
            if (left < kLanes) e = keep_first(e, left);
            store(tile.output + r * tile.output_stride + v * kLanes, e);
            totals[r] = add(totals[r], e);
        }
    }
}

// Calls function(integral_constant<int, vectors>), vectors <= V.
template <int V, typename Function>
inline void with_vectors(int64_t vectors, const Function& function) {
    if constexpr (V > 1)
        if (vectors < V) return with_vectors<V - 1>(vectors, function);
    function(std::integral_constant<int, V>());
}

// Calls function(first column, columns, integral_constant<int, vectors>) for panels of V vectors.
template <int V, typename Function>
inline void for_panels(int64_t columns, const Function& function) {
    for (int64_t first = 0; first < columns; first += V * kLanes) {
        const int64_t width = columns - first < V * kLanes ? columns - first : V * kLanes;
        with_vectors<V>((width + kLanes - 1) / kLanes,
                        [&](auto vectors) { function(first, width, vectors); });
    }
}

// scratch.scores of R query rows from `begin` on: as powers, with their totals (true), or, where a row needs
// its maximum, as they are (false).
template <int R>
inline bool score_rows(const AttentionArgs& args, const AttentionScratch& scratch, int64_t begin,
                       VecF (&totals)[R]) {
    Tile<float> tile{};
    tile.input = args.qkv + begin * 3 * args.hidden_size;
    tile.input_stride = 3 * args.hidden_size;
    tile.output_stride = padded_columns(args.seq_len);
    tile.k = args.head_dim;
    for (VecF& total : totals) total = zero();
    VecI seen = zero_int();
    const auto score = [&](bool powers) {
        for_panels<kTileVectors>(args.seq_len, [&](int64_t first, int64_t width, auto vectors) {
            tile.panel = scratch.keys + first * args.head_dim;
            tile.output = scratch.scores + first;
            tile.columns = width;
            if (powers) {
                powers_tile<R, vectors>(tile, args.softmax_scale * kLog2E, totals, seen);
            } else {
                compute_tile<float, R, vectors, 1, 0>(tile);
            }
        });
    };
    bool powers = args.relative_bias == nullptr;
    score(powers);
    if (powers && outside_of_range(seen)) score(powers = false);
    return powers;
}

// The context of R query rows from scratch.scores, each row times its factor.
template <int R>
inline void context_rows(const AttentionArgs& args, const AttentionScratch& scratch, int64_t begin,
                         const float (&factors)[R]) {
    Tile<float> tile{};
    tile.input = scratch.scores;
    tile.input_stride = padded_columns(args.seq_len);
    tile.output_stride = args.hidden_size;
    tile.k = args.seq_len;
    for_panels<kTileVectors>(args.head_dim, [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = scratch.values + first * args.seq_len;
        tile.output = args.context + begin * args.hidden_size + first;
        tile.columns = width;
        context_tile<R, vectors>(tile, factors);
    });
}

// One tile of query rows.
template <int R>
void attend(const AttentionArgs& args, const AttentionScratch& scratch, int64_t begin) {
    const int64_t seq_len = args.seq_len, padded = padded_columns(seq_len);
    VecF totals[R];
    const bool powers = score_rows<R>(args, scratch, begin, totals);
    float inverse[R];
    for (int r = 0; r < R; r++) {
        float* scores = scratch.scores + r * padded;
        inverse[r] = 1.0f / (powers ? sum(totals[r]) : softmax_row(args, scores, begin + r));
        if (args.scores != nullptr)
            for (int64_t key = 0; key < seq_len; key++)
                args.scores[(begin + r) * seq_len + key] = scores[key] * inverse[r];
    }
    context_rows<R>(args, scratch, begin, inverse);
}

template <int... R>
inline void attend_rows(int64_t rows, const AttentionArgs& args, const AttentionScratch& scratch,
                        int64_t begin, std::integer_sequence<int, R...>) {
    using Function = void (*)(const AttentionArgs&, const AttentionScratch&, int64_t);
    constexpr Function functions[] = {&attend<R + 1>...};
    functions[rows - 1](args, scratch, begin);
}

inline AttentionScratch pack_attention(const AttentionArgs& args) {
    const int64_t seq_len = args.seq_len, stride = 3 * args.hidden_size;
    AttentionScratch scratch;
    attention_scratch_floats(seq_len, args.head_dim, &scratch, args.scratch);
    pack_keys(args.qkv + args.hidden_size, stride, seq_len, args.head_dim, scratch.keys);
    pack_values(args.qkv + 2 * args.hidden_size, stride, seq_len, args.head_dim, scratch.values);
    return scratch;
}

inline void attention(const AttentionArgs& args) {
    const int64_t seq_len = args.seq_len;
    const AttentionScratch scratch = pack_attention(args);
    const int64_t tiles = (seq_len + kTileRows - 1) / kTileRows;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        attend_rows(rows, args, scratch, begin, std::make_integer_sequence<int, kTileRows>());
    }
}
