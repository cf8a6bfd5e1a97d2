// The backward of attention for one head of one sequence. Nothing of the size seq_len² was kept: a tile of
// query rows makes its probabilities again, and from them, with m the factors of dropout,
//   dP = (dO Vᵀ) ∘ m,  D = Σ over d of dO ∘ O,  dS = P ∘ (dP - D),  dQ = scale · dS K,
// and, from kQueryBlock rows at a time, dV += (P ∘ m)ᵀ dO and dK += scale · dSᵀ Q.
//
// row_lse brings the scores near 0; what its rounding leaves (2^-16 of scores of hundreds) the sum of the row
// takes away again, as the forward divides by its own.

constexpr int64_t kQueryBlock = 64;
constexpr int kHeadPanelVectors = 2;  // 8 x 32 columns of a head
constexpr int64_t kHeadPanelWidth = kHeadPanelVectors * kLanes;

struct AttentionGradScratch {
    float* turned;         // [2][seq_len][head_dim]: queries and keys, where they turn
    float* keys;           // [head_dim][padded seq_len], in panels of kPanelWidth
    float* values;         // likewise
    float* key_rows;       // [seq_len][padded head_dim], in panels of kHeadPanelWidth
    float* probabilities;  // [kQueryBlock][padded seq_len], times their factors
    float* score_grads;    // likewise: dS
    float* queries;        // [kQueryBlock][padded head_dim], in panels of kHeadPanelWidth
    float* grad_context;   // likewise
    float* factors;        // [kTileRows][padded seq_len]: of dropout
    PositionScratch positions;
    PositionGradScratch position_grads;
    int64_t floats;
};

inline AttentionGradScratch attention_grad_parts(const AttentionArgs& args, float* base) {
    const int64_t seq_len = args.seq_len, head_dim = args.head_dim;
    const int64_t padded = padded_columns(seq_len), padded_head = padded_columns(head_dim);
    int64_t at = 0;
    const auto part = [&](int64_t floats) {
        const int64_t begin = at;
        at += (floats + 15) / 16 * 16;
        return base + begin;
    };
    AttentionGradScratch scratch{};
    scratch.turned = part(turned_floats(args));
    scratch.keys = part(padded * head_dim);
    scratch.values = part(padded * head_dim);
    scratch.key_rows = part(seq_len * padded_head);
    scratch.probabilities = part(kQueryBlock * padded);
    scratch.score_grads = part(kQueryBlock * padded);
    scratch.queries = part(kQueryBlock * padded_head);
    scratch.grad_context = part(kQueryBlock * padded_head);
    scratch.factors = part(kTileRows * padded + kPhiloxColumns);
    scratch.positions = position_parts(args, part);
    scratch.position_grads = position_grad_parts(args, part);
    scratch.floats = at;
    return scratch;
}

inline int64_t attention_grad_scratch(const AttentionArgs& args) {
    return attention_grad_parts(args, nullptr).floats;
}

// Rows of a head [count, head_dim] as panels of kHeadPanelWidth.
inline void pack_head_rows(const float* x, int64_t stride, int64_t count, int64_t head_dim, float* dst) {
    for_panels<kHeadPanelVectors>(head_dim, [&](int64_t first, int64_t width, auto vectors) {
        copy_panel<vectors>(x + first, stride, count, width, dst + first * count);
    });
}

// Probabilities of a tile of R rows and the keys from `key` on, up to a factor near 1 for each row, and their
// totals. Where scores are disentangled, the output has the terms that come to the products.
template <int R, int V>
inline void probabilities_tile(const Tile<float>& tile, const AttentionGradArgs& args, int64_t query,
                               int64_t key, VecF (&totals)[R]) {
    const AttentionArgs& forward = args.forward;
    VecF sums[R][V];
    multiply_tile<float, R, V, 1, 0>(tile, sums);
    const VecF scale = set(forward.softmax_scale), log2e = set(kLog2E),
               factor = set(forward.softmax_scale * kLog2E);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        const VecF lse = set(-args.row_lse[(query + r) * args.lse_stride]);
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const int64_t left = tile.columns - v * kLanes;
            VecF power;
            if (forward.position_rows != nullptr)
                sums[r][v] = add(sums[r][v], load(tile.output + r * tile.output_stride + v * kLanes));
            if (forward.relative_bias != nullptr) {
                const float* bias = forward.relative_bias + forward.seq_len - 1 - (query + r) + key +
                                    v * kLanes;
                power = fma(fma(sums[r][v], scale, left >= kLanes ? load(bias) : load_first(bias, left)),
                            log2e, lse);
            } else {
                power = fma(sums[r][v], factor, lse);
            }
            VecF p = exp2_clamped(power);
            if (left < kLanes) p = keep_first(p, left);
            store(tile.output + r * tile.output_stride + v * kLanes, p);
            totals[r] = add(totals[r], p);
        }
    }
}

// dS of a tile in `score_grads`, and the tile's probabilities (tile.output) times `inverse` and the factors.
template <int R, int V, bool kDropout>
inline void score_grads_tile(const Tile<float>& tile, const float (&inverse)[R], const float (&dots)[R],
                             const float* factors, float* score_grads) {
    VecF sums[R][V];
    multiply_tile<float, R, V, 1, 0>(tile, sums);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        const VecF rescale = set(inverse[r]), dot = set(dots[r]);
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const int64_t at = r * tile.output_stride + v * kLanes;
            const VecF p = mul(load(tile.output + at), rescale);
            if constexpr (kDropout) {
                const VecF m = load(factors + at);
                store(score_grads + at, mul(p, sub(mul(sums[r][v], m), dot)));
                store(tile.output + at, mul(p, m));
            } else {
                store(score_grads + at, mul(p, sub(sums[r][v], dot)));
                store(tile.output + at, p);
            }
        }
    }
}

inline float dot_product(const float* a, const float* b, int64_t n) {
    VecF total = zero();
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) total = fma(load(a + i), load(b + i), total);
    if (i < n) total = fma(load_first(a + i, n - i), load_first(b + i, n - i), total);
    return sum(total);
}

inline void draw_factors(const DropoutFactors& dropout, uint32_t row, KeyRange keys, float* out) {
    for (int64_t column = keys.begin; column < keys.end; column += kPhiloxColumns, out += kPhiloxColumns) {
        VecF factors[kPhiloxVectors];
        dropout.draw(row, column, factors);
        for (int i = 0; i < kPhiloxVectors; i++) store(out + i * kLanes, factors[i]);
    }
}

// grad_relative_bias[seq_len - 1 + key - query] += dS of one query row.
inline void add_bias_grads(const AttentionGradArgs& args, const float* score_grads, int64_t query,
                           KeyRange keys) {
    float* grad = args.grad_relative_bias + args.forward.seq_len - 1 - query + keys.begin;
    for (int64_t i = 0; i < keys.count(); i++) grad[i] += score_grads[i];
}

// The probabilities of one query without those of keys that its window leaves out; returns their sum.
inline float sum_of_window(const AttentionArgs& args, KeyRange panels, int64_t query, float* probabilities) {
    const KeyRange keys = keys_of(args, query, 1).seen;
    for (int64_t key = panels.begin; key < keys.begin; key++) probabilities[key - panels.begin] = 0.0f;
    for (int64_t key = keys.end; key < panels.end; key++) probabilities[key - panels.begin] = 0.0f;
    return sum_of(probabilities + keys.begin - panels.begin, keys.count());
}

// R query rows from `query` on, which are the rows from `row` on of their block: P ∘ m, dS and dQ, for the
// block's keys.
template <int R>
void attend_grad(const AttentionGradArgs& args, const AttentionGradScratch& scratch, const TileKeys& keys,
                 int64_t query, int64_t row) {
    const AttentionArgs& forward = args.forward;
    const int64_t seq_len = forward.seq_len, head_dim = forward.head_dim, stride = keys.stride(),
                  first_key = keys.panels.begin;
    float* probabilities = scratch.probabilities + row * stride;
    float* score_grads = scratch.score_grads + row * stride;
    VecF totals[R];
    for (VecF& total : totals) total = zero();
    if (forward.position_rows != nullptr) {
        for (int64_t i = 0; i < R * stride; i++) probabilities[i] = 0.0f;
        add_position_terms(forward, scratch.positions, keys, {query, query + R}, probabilities);
    }
    Tile<float> tile{};
    tile.input = forward.query + query * forward.query_stride;
    tile.input_stride = forward.query_stride;
    tile.output_stride = stride;
    tile.k = head_dim;
    for_panels<kTileVectors>(keys.panels.count(), [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = scratch.keys + (first_key + first) * head_dim;
        tile.output = probabilities + first;
        tile.columns = width;
        probabilities_tile<R, vectors>(tile, args, query, first_key + first, totals);
    });
    const bool drops = args.dropout.threshold > 0;
    const DropoutFactors dropout(args.dropout);
    const float* grad_context = args.grad_context + query * forward.hidden_size;
    float inverse[R], dots[R], scales[R];
    for (int r = 0; r < R; r++) {
        inverse[r] = 1.0f / (forward.window == 0 ? sum(totals[r])
                                                 : sum_of_window(forward, keys.panels, query + r,
                                                                 probabilities + r * stride));
        scales[r] = forward.softmax_scale;
        dots[r] = dot_product(grad_context + r * forward.hidden_size,
                              forward.context + (query + r) * forward.hidden_size, head_dim);
        if (drops)
            draw_factors(dropout, args.first_row + static_cast<uint32_t>(query + r), keys.panels,
                         scratch.factors + r * stride);
    }
    tile.input = grad_context;
    tile.input_stride = forward.hidden_size;
    for_panels<kTileVectors>(keys.panels.count(), [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = scratch.values + (first_key + first) * head_dim;
        tile.output = probabilities + first;
        tile.columns = width;
        if (drops) {
            score_grads_tile<R, vectors, true>(tile, inverse, dots, scratch.factors + first,
                                               score_grads + first);
        } else {
            score_grads_tile<R, vectors, false>(tile, inverse, dots, nullptr, score_grads + first);
        }
    });
    if (args.grad_relative_bias != nullptr)
        for (int r = 0; r < R; r++) add_bias_grads(args, score_grads + r * stride, query + r, keys.panels);
    if (forward.position_rows != nullptr)
        spread_score_grads(args, scratch.position_grads, keys, {query, query + R}, score_grads);
    tile.input = score_grads + keys.seen.begin - first_key;
    tile.input_stride = stride;
    tile.output_stride = args.grad_stride;
    tile.k = keys.seen.count();
    for_panels<kHeadPanelVectors>(head_dim, [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = scratch.key_rows + first * seq_len + keys.seen.begin * padded_columns(width);
        tile.output = args.grad_query + query * args.grad_stride + first;
        tile.columns = width;
        context_tile<R, vectors>(tile, scales);
    });
}

// output [R, columns] = or, after the first block, += factor · Σ over `count` rows of a[row][r] · panel[row].
struct KeyGradTile {
    const float* a;
    int64_t stride;
    const float* panel;
    int64_t count;
    float factor;
    bool adds;
    float* output;
    int64_t output_stride;
    int64_t columns;
};

template <int R, int V>
void key_grad_tile(const KeyGradTile& tile) {
    VecF sums[R][V];
    multiply_transposed<R, V>(tile.a, tile.stride, tile.panel, tile.count, sums);
    const VecF factor = set(tile.factor);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            float* output = tile.output + r * tile.output_stride + v * kLanes;
            const int64_t left = tile.columns - v * kLanes;
            if (left >= kLanes) {
                store(output, tile.adds ? fma(sums[r][v], factor, load(output)) : mul(sums[r][v], factor));
            } else {
                store_first(
                    output,
                    tile.adds ? fma(sums[r][v], factor, load_first(output, left)) : mul(sums[r][v], factor),
                    left);
            }
        }
    }
}

template <int V, int... R>
inline void key_grad_rows(int64_t rows, const KeyGradTile& tile, std::integer_sequence<int, R...>) {
    using Function = void (*)(const KeyGradTile&);
    constexpr Function functions[] = {&key_grad_tile<R + 1, V>...};
    functions[rows - 1](tile);
}

// The gradient of a block's keys or values from its queries; a: [count, keys.stride()].
inline void add_key_grads(const AttentionGradArgs& args, const TileKeys& keys, const float* a,
                          const float* packed, int64_t count, float factor, bool adds, float* output) {
    const int64_t all = keys.panels.count(), tiles = (all + kTileRows - 1) / kTileRows;
    KeyGradTile tile{};
    tile.stride = keys.stride();
    tile.count = count;
    tile.factor = factor;
    tile.adds = adds;
    tile.output_stride = args.grad_stride;
    output += keys.panels.begin * args.grad_stride;
    for_panels<kHeadPanelVectors>(args.forward.head_dim, [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = packed + first * count;
        tile.columns = width;
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = all * t / tiles, rows = all * (t + 1) / tiles - begin;
            tile.a = a + begin;
            tile.output = output + begin * tile.output_stride + first;
            key_grad_rows<vectors>(rows, tile, std::make_integer_sequence<int, kTileRows>());
        }
    });
}

template <int... R>
inline void attend_grad_rows(int64_t rows, const AttentionGradArgs& args, const AttentionGradScratch& scratch,
                             const TileKeys& keys, int64_t query, int64_t row,
                             std::integer_sequence<int, R...>) {
    using Function = void (*)(const AttentionGradArgs&, const AttentionGradScratch&, const TileKeys&, int64_t,
                              int64_t);
    constexpr Function functions[] = {&attend_grad<R + 1>...};
    functions[rows - 1](args, scratch, keys, query, row);
}

// One token: P = 1 whatever q and k are.
inline void attention_grad_of_one(const AttentionGradArgs& args) {
    float factor = 1.0f;
    if (args.dropout.threshold > 0) {
        VecF factors[kPhiloxVectors];
        DropoutFactors(args.dropout).draw(args.first_row, 0, factors);
        store_first(&factor, factors[0], 1);
    }
    for (int64_t i = 0; i < args.forward.head_dim; i++) {
        args.grad_query[i] = 0.0f;
        args.grad_key[i] = 0.0f;
        args.grad_value[i] = args.grad_context[i] * factor;
    }
}

// The rows of a head's gradient as 0.
inline void clear_rows(const AttentionGradArgs& args, float* rows) {
    for (int64_t row = 0; row < args.forward.seq_len; row++)
        for (int64_t i = 0; i < args.forward.head_dim; i++) rows[row * args.grad_stride + i] = 0.0f;
}

// The gradients of queries and keys before they turned.
inline void turn_back(const AttentionGradArgs& args) {
    if (args.forward.rotary == nullptr) return;
    for (float* rows : {args.grad_query, args.grad_key})
        turn_rows(args.forward, rows, args.grad_stride, rows, args.grad_stride, -1.0f);
}

inline void attention_grad(const AttentionGradArgs& given) {
    AttentionGradArgs args = given;
    AttentionArgs& forward = args.forward;
    const int64_t seq_len = forward.seq_len, head_dim = forward.head_dim;
    if (args.grad_relative_bias != nullptr)
        for (int64_t i = 0; i < 2 * seq_len - 1; i++) args.grad_relative_bias[i] = 0.0f;
    if (seq_len == 1) return attention_grad_of_one(args);
    const AttentionGradScratch scratch = attention_grad_parts(forward, forward.scratch);
    turn(forward, scratch.turned);
    if (forward.position_rows != nullptr) {
        pack_positions(forward, scratch.positions);
        clear_position_grads(forward, scratch.position_grads);
    }
    pack_keys(forward.key, forward.key_stride, seq_len, head_dim, scratch.keys);
    pack_keys(forward.value, forward.value_stride, seq_len, head_dim, scratch.values);
    pack_head_rows(forward.key, forward.key_stride, seq_len, head_dim, scratch.key_rows);
    // The first block writes the gradients of all keys; one that sees a part of them adds to all.
    const bool adds = forward.window > 0;
    if (adds)
        for (float* rows : {args.grad_key, args.grad_value}) clear_rows(args, rows);
    for (int64_t first = 0; first < seq_len; first += kQueryBlock) {
        const int64_t count = seq_len - first < kQueryBlock ? seq_len - first : kQueryBlock,
                      tiles = (count + kTileRows - 1) / kTileRows;
        const TileKeys keys = keys_of(forward, first, count);
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = count * t / tiles, rows = count * (t + 1) / tiles - begin;
            attend_grad_rows(rows, args, scratch, keys, first + begin, begin,
                             std::make_integer_sequence<int, kTileRows>());
        }
        pack_head_rows(forward.query + first * forward.query_stride, forward.query_stride, count, head_dim,
                       scratch.queries);
        pack_head_rows(args.grad_context + first * forward.hidden_size, forward.hidden_size, count, head_dim,
                       scratch.grad_context);
        add_key_grads(args, keys, scratch.score_grads, scratch.queries, count, forward.softmax_scale,
                      adds || first > 0, args.grad_key);
        add_key_grads(args, keys, scratch.probabilities, scratch.grad_context, count, 1.0f, adds || first > 0,
                      args.grad_value);
    }
    if (forward.position_rows != nullptr) add_position_grads(args, scratch.position_grads);
    turn_back(args);
}
