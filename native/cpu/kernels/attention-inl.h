// softmax(q kᵀ · scale) v for one head of one sequence, with no padding; what positions change, which keys a
// query sees among it, is in positions-inl.h and disentangled-inl.h.
//
// Keys are packed like a weight (columns = keys) and values as panels [keys][head_dim], so that both products
// run on the tiles of gemm-inl.h. A tile of query rows meets all keys at once: its probabilities stay in L1
// (8 rows x 512 keys = 16 KB). Powers are taken of the scores as they are, in the registers of the product:
// floats need no row maximum as long as |score| stays below 44 (64 in powers of two). Where one does not, the
// tile is done again row by row, with the maximum. The division by the row sum happens on the short output
// row.

struct AttentionScratch {
    float* keys;    // [head_dim][padded num_keys], in panels
    float* values;  // [num_keys][padded head_dim], in panels
    float* scores;  // [kTileRows][padded num_keys]
    float* turned;  // [2][seq_len][head_dim]: queries and keys, where they turn
    PositionScratch positions;
    int64_t floats;
};

inline AttentionScratch attention_parts(const AttentionArgs& args, float* base) {
    int64_t at = 0;
    const auto part = [&](int64_t floats) {
        const int64_t begin = at;
        at += (floats + 15) / 16 * 16;
        return base + begin;
    };
    AttentionScratch scratch{};
    scratch.keys = part(padded_columns(args.num_keys) * args.head_dim);
    scratch.values = part(padded_columns(args.head_dim) * args.num_keys);
    scratch.scores = part(kTileRows * padded_columns(args.num_keys));
    scratch.turned = part(turned_floats(args));
    scratch.positions = position_parts(args, part);
    scratch.floats = at;
    return scratch;
}

inline int64_t attention_scratch(const AttentionArgs& args) { return attention_parts(args, nullptr).floats; }

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

// Adds the biases to the scores of one query and the keys that it sees, if there are any; returns what scales
// the result.
inline float add_relative_bias(const AttentionArgs& args, float* scores, int64_t query, KeyRange keys) {
    if (args.relative_bias == nullptr) return args.softmax_scale;
    const float* bias = args.relative_bias + args.seq_len - 1 - query + keys.begin;
    for (int64_t i = 0; i < keys.count(); i++) scores[i] = scores[i] * args.softmax_scale + bias[i];
    return 1.0f;
}

// Turns the scores of one query and the keys that it sees into unnormalised probabilities and returns their
// sum; lse as exponentiate's.
inline float softmax_row(const AttentionArgs& args, float* scores, int64_t query, KeyRange keys, float* lse) {
    const float scale = add_relative_bias(args, scores, query, keys);
    return exponentiate(scores, keys.count(), scale, lse);
}

inline float dot_product(const float* a, const float* b, int64_t n) {
    VecF total = zero();
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) total = fma(load(a + i), load(b + i), total);
    if (i < n) total = fma(load_first(a + i, n - i), load_first(b + i, n - i), total);
    return sum(total);
}

inline float sum_of(const float* x, int64_t n) {
    VecF total = zero();
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) total = add(total, load(x + i));
    if (i < n) total = add(total, load_first(x + i, n - i));
    return sum(total);
}

// The scores of one query, those of the tile's keys, as unnormalised probabilities, 0 where it does not see
// the key; returns their sum. `powers`: they are powers already, with `total` that of all keys.
inline float finish_row(const AttentionArgs& args, const TileKeys& tile, int64_t query, bool powers,
                        VecF total, float* scores) {
    const KeyRange keys = keys_of(args, query, 1).seen;
    const AttentionTraining* training = args.training;
    float* lse = training != nullptr ? training->row_lse + query * training->lse_stride : nullptr;
    float* own = scores + keys.begin - tile.panels.begin;
    float all;
    if (powers) {
        all = sees_all_keys(args) ? sum(total) : sum_of(own, keys.count());
        if (lse != nullptr) *lse = __builtin_log2f(all);
    } else {
        all = softmax_row(args, own, query, keys, lse);
    }
    for (int64_t key = tile.panels.begin; key < keys.begin; key++) scores[key - tile.panels.begin] = 0.0f;
    for (int64_t key = keys.end; key < tile.panels.end; key++) scores[key - tile.panels.begin] = 0.0f;
    if (training != nullptr && training->drop != nullptr)
        training->drop(*training->dropout, training->first_row + static_cast<uint32_t>(query),
                       tile.panels.begin, tile.panels.end, scores);
    return all;
}

// Tiles are functions of their own, one for each of their sizes: written out where they are called, by what
// knows the number of rows, they would be there several times.
constexpr auto kTileRowCounts = std::make_integer_sequence<int, kTileRows>();

// A tile's sums x factor for each row.
template <int R, int V>
void context_tile(const Tile<float>& tile, const float* factors) {
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

template <int V, int... R>
inline void run_context_tile(int64_t rows, const Tile<float>& tile, const float* factors,
                             std::integer_sequence<int, R...>) {
    using Function = void (*)(const Tile<float>&, const float*);
    constexpr Function functions[] = {&context_tile<R + 1, V>...};
    functions[rows - 1](tile, factors);
}

struct Powers {
    float factor;            // of the scores
    VecF totals[kTileRows];  // of the rows
    VecI seen;               // what outside_of_range asks
};

// Powers of a tile's scores; adds them to the rows' totals.
template <int R, int V>
void powers_tile(const Tile<float>& tile, Powers& powers) {
    VecF sums[R][V];
    multiply_tile<float, R, V, 1, 0>(tile, sums);
    const VecF factors = set(powers.factor);
    VecI seen = powers.seen;
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        VecF total = powers.totals[r];
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const int64_t left = tile.columns - v * kLanes;
            VecF e = exp2_in_range(sums[r][v], factors, seen);
            if (left < kLanes) e = keep_first(e, left);
            store(tile.output + r * tile.output_stride + v * kLanes, e);
            total = add(total, e);
        }
        powers.totals[r] = total;
    }
    powers.seen = seen;
}

template <int V, int... R>
inline void run_powers_tile(int64_t rows, const Tile<float>& tile, Powers& powers,
                            std::integer_sequence<int, R...>) {
    using Function = void (*)(const Tile<float>&, Powers&);
    constexpr Function functions[] = {&powers_tile<R + 1, V>...};
    functions[rows - 1](tile, powers);
}

// scratch.scores of `rows` queries from `begin` on, for the tile's keys: as powers, with their totals (true),
// or, where a row needs its maximum, as they are (false).
inline bool score_rows(const AttentionArgs& args, const AttentionScratch& scratch, const TileKeys& keys,
                       int64_t begin, int64_t rows, Powers& powers) {
    Tile<float> tile{};
    tile.input = args.query + begin * args.query_stride;
    tile.input_stride = args.query_stride;
    tile.output_stride = keys.stride();
    tile.k = args.head_dim;
    powers.factor = args.softmax_scale * kLog2E;
    for (VecF& total : powers.totals) total = zero();
    powers.seen = zero_int();
    const auto score = [&](bool as_powers) {
        for_panels<kTileVectors>(keys.panels.count(), [&](int64_t first, int64_t width, auto vectors) {
            tile.panel = scratch.keys + (keys.panels.begin + first) * args.head_dim;
            tile.output = scratch.scores + first;
            tile.columns = width;
            if (as_powers) {
                run_powers_tile<vectors>(rows, tile, powers, kTileRowCounts);
            } else {
                run_tile<float, vectors, 1, 0>(rows, tile);
            }
        });
    };
    bool as_powers = args.relative_bias == nullptr && args.position_rows == nullptr;
    score(as_powers);
    if (as_powers && outside_of_range(powers.seen)) score(as_powers = false);
    if (args.position_rows != nullptr)
        add_position_terms(args, scratch.positions, keys, {begin, begin + rows}, scratch.scores);
    return as_powers;
}

// The context of `rows` queries from scratch.scores, each row times its factor.
inline void context_rows(const AttentionArgs& args, const AttentionScratch& scratch, const TileKeys& keys,
                         int64_t begin, int64_t rows, const float* factors) {
    Tile<float> tile{};
    tile.input = scratch.scores + keys.seen.begin - keys.panels.begin;
    tile.input_stride = keys.stride();
    tile.output_stride = args.hidden_size;
    tile.k = keys.seen.count();
    for_panels<kTileVectors>(args.head_dim, [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = scratch.values + first * args.num_keys + keys.seen.begin * padded_columns(width);
        tile.output = args.context + begin * args.hidden_size + first;
        tile.columns = width;
        run_context_tile<vectors>(rows, tile, factors, kTileRowCounts);
    });
}

// One row of args.scores, from a query's unnormalised probabilities for the tile's keys.
inline void write_probabilities(const AttentionArgs& args, const TileKeys& keys, int64_t query,
                                const float* scores, float inverse) {
    float* row = args.scores + query * args.num_keys;
    for (int64_t key = 0; key < keys.panels.begin; key++) row[key] = 0.0f;
    for (int64_t key = keys.panels.begin; key < keys.panels.end; key++)
        row[key] = scores[key - keys.panels.begin] * inverse;
    for (int64_t key = keys.panels.end; key < args.num_keys; key++) row[key] = 0.0f;
}

// One tile of query rows.
inline void attend(const AttentionArgs& args, const AttentionScratch& scratch, int64_t begin, int64_t rows) {
    const TileKeys keys = keys_of(args, begin, rows);
    Powers powers;
    const bool as_powers = score_rows(args, scratch, keys, begin, rows, powers);
    float inverse[kTileRows];
    for (int64_t r = 0; r < rows; r++) {
        float* scores = scratch.scores + r * keys.stride();
        inverse[r] = 1.0f / finish_row(args, keys, begin + r, as_powers, powers.totals[r], scores);
        if (args.scores != nullptr) write_probabilities(args, keys, begin + r, scores, inverse[r]);
    }
    context_rows(args, scratch, keys, begin, rows, inverse);
}

// Queries and keys are turned in place of args' own.
inline AttentionScratch pack_attention(AttentionArgs& args) {
    const AttentionScratch scratch = attention_parts(args, args.scratch);
    turn(args, scratch.turned);
    pack_positions(args, scratch.positions);
    pack_keys(args.key, args.key_stride, args.num_keys, args.head_dim, scratch.keys);
    pack_values(args.value, args.value_stride, args.num_keys, args.head_dim, scratch.values);
    return scratch;
}

inline void attention(const AttentionArgs& given) {
    AttentionArgs args = given;
    const int64_t seq_len = args.seq_len;
    const AttentionScratch scratch = pack_attention(args);
    const int64_t tiles = (seq_len + kTileRows - 1) / kTileRows;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        attend(args, scratch, begin, rows);
    }
}
