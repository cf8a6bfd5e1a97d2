// The backward of attention for one head of one sequence. Nothing of the size seq_len² was kept:
// probabilities are made again from the scores and the forward's row_lse, and from them, with m the factors
// of dropout,
//   dV = (P ∘ m)ᵀ dO,  dP = (dO Vᵀ) ∘ m,  D = Σ over d of dO ∘ O,  dS = P ∘ (dP - D),
//   dK = scale · dSᵀ Q,  dQ = scale · dS K.
//
// Keys may be rows of another text than the queries. All is computed as seen from the keys: a tile of
// kTileRows keys meets all queries, so that the rows of Pᵀ and dSᵀ lie along the queries. Four of the five
// products then read their rows in order, dV and dK are whole after one tile, and what queries have (row_lse,
// D) are vectors. Only dQ is added to, once for each block of kKeyBlock keys, whose dSᵀ stays near.

constexpr int64_t kKeyBlock = 64;
constexpr int kHeadPanelVectors = 2;  // 8 x 32 columns of a head
constexpr int64_t kHeadPanelWidth = kHeadPanelVectors * kLanes;
constexpr int64_t kDrawnKeys = 8;  // that factors are drawn for at a time
constexpr int64_t kFactorRows = 16;

struct AttentionGradScratch {
    float* turned;         // [2][seq_len][head_dim]: queries and keys, where they turn
    float* queries;        // [head_dim][padded seq_len], in panels of kPanelWidth
    float* grad_context;   // likewise
    float* query_rows;     // [seq_len][padded head_dim], in panels of kHeadPanelWidth
    float* grad_rows;      // likewise, of the context
    float* key_rows;       // [kKeyBlock][padded head_dim], likewise
    float* probabilities;  // [kTileRows][padded seq_len], times their factors
    float* score_grads;    // [kKeyBlock][padded seq_len]: dSᵀ
    float* factors;        // [kFactorRows][padded seq_len]: of dropout; key k has row k % kFactorRows
    float* minus_lse;      // [padded seq_len]: -row_lse
    float* dots;           // [padded seq_len]: D
    float* bias;           // [2 seq_len - 1]: relative_bias from its end to its begin
    int32_t* rows;         // likewise position_rows
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
    scratch.queries = part(padded * head_dim);
    scratch.grad_context = part(padded * head_dim);
    scratch.query_rows = part(seq_len * padded_head);
    scratch.grad_rows = part(seq_len * padded_head);
    scratch.key_rows = part(kKeyBlock * padded_head);
    scratch.probabilities = part(kTileRows * padded);
    scratch.score_grads = part(kKeyBlock * padded);
    scratch.factors = part(kFactorRows * padded);
    scratch.minus_lse = part(padded);
    scratch.dots = part(padded);
    scratch.bias = part(2 * padded + kLanes);
    scratch.rows = reinterpret_cast<int32_t*>(part(args.position_rows != nullptr ? 2 * seq_len : 0));
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

// What a query has of its own: row_lse and D, and 0 up to a whole vector.
inline void gather_query_sums(const AttentionGradArgs& args, const AttentionGradScratch& scratch) {
    const AttentionArgs& forward = args.forward;
    for (int64_t query = 0; query < padded_columns(forward.seq_len); query++) {
        const bool inside = query < forward.seq_len;
        scratch.minus_lse[query] = inside ? -args.row_lse[query * args.lse_stride] : 0.0f;
        scratch.dots[query] = inside ? dot_product(args.grad_context + query * forward.hidden_size,
                                                   forward.context + query * forward.hidden_size,
                                                   forward.head_dim)
                                     : 0.0f;
    }
}

// The attention with queries and keys in each other's place, for what positions add to its scores.
inline AttentionGradArgs seen_from_keys(const AttentionGradArgs& args, const AttentionGradScratch& scratch) {
    AttentionGradArgs turned = args;
    const AttentionArgs& forward = args.forward;
    turned.forward.query = forward.key;
    turned.forward.query_stride = forward.key_stride;
    turned.forward.key = forward.query;
    turned.forward.key_stride = forward.query_stride;
    turned.forward.content_to_position = forward.position_to_content;
    turned.forward.position_to_content = forward.content_to_position;
    turned.grad_query = args.grad_key;
    turned.grad_key = args.grad_query;
    turned.grad_content_to_position = args.grad_position_to_content;
    turned.grad_position_to_content = args.grad_content_to_position;
    const int64_t last = 2 * forward.seq_len - 2;
    if (forward.relative_bias != nullptr) {
        for (int64_t i = 0; i <= last; i++) scratch.bias[i] = forward.relative_bias[last - i];
        turned.forward.relative_bias = scratch.bias;
    }
    if (forward.position_rows != nullptr) {
        for (int64_t i = 0; i <= last; i++) scratch.rows[i] = forward.position_rows[last - i];
        turned.forward.position_rows = scratch.rows;
    }
    return turned;
}

// Probabilities of a tile of R keys from `key` on and the queries from `query` on. Where scores are
// disentangled, the output has the terms that come to the products. `forward` is seen from the keys.
template <int R, int V>
void probabilities_tile(const Tile<float>& tile, const AttentionArgs& forward, const float* minus_lse,
                        int64_t key, int64_t query) {
    VecF sums[R][V];
    multiply_tile<float, R, V, 1, 0>(tile, sums);
    const VecF scale = set(forward.softmax_scale), log2e = set(kLog2E),
               factor = set(forward.softmax_scale * kLog2E);
    BERTHA_UNROLL
    for (int v = 0; v < V; v++) {
        const int64_t left = tile.columns - v * kLanes;
        const VecF lse = load(minus_lse + query + v * kLanes);
        BERTHA_UNROLL
        for (int r = 0; r < R; r++) {
            float* output = tile.output + r * tile.output_stride + v * kLanes;
            VecF score = sums[r][v], power;
            if (forward.position_rows != nullptr) score = add(score, load(output));
            if (forward.relative_bias != nullptr) {
                const float* bias = forward.relative_bias + forward.seq_len - 1 - (key + r) + query +
                                    v * kLanes;
                power = fma(fma(score, scale, left >= kLanes ? load(bias) : load_first(bias, left)), log2e,
                            lse);
            } else {
                power = fma(score, factor, lse);
            }
            const VecF p = exp2_clamped(power);
            store(output, left < kLanes ? keep_first(p, left) : p);
        }
    }
}

template <int V, int... R>
inline void run_probabilities_tile(int64_t rows, const Tile<float>& tile, const AttentionArgs& forward,
                                   const float* minus_lse, int64_t key, int64_t query,
                                   std::integer_sequence<int, R...>) {
    using Function = void (*)(const Tile<float>&, const AttentionArgs&, const float*, int64_t, int64_t);
    constexpr Function functions[] = {&probabilities_tile<R + 1, V>...};
    functions[rows - 1](tile, forward, minus_lse, key, query);
}

// dSᵀ of a tile in `score_grads`, and the tile's probabilities (tile.output) times the factors of its rows;
// no factors: 1.
template <int R, int V>
void score_grads_tile(const Tile<float>& tile, const float* dots, const float* const* factors,
                      float* score_grads) {
    VecF sums[R][V];
    multiply_tile<float, R, V, 1, 0>(tile, sums);
    BERTHA_UNROLL
    for (int v = 0; v < V; v++) {
        const VecF dot = load(dots + v * kLanes);
        BERTHA_UNROLL
        for (int r = 0; r < R; r++) {
            const int64_t at = r * tile.output_stride + v * kLanes;
            const VecF p = load(tile.output + at);
            if (factors != nullptr) {
                const VecF m = load(factors[r] + v * kLanes);
                store(score_grads + at, mul(p, sub(mul(sums[r][v], m), dot)));
                store(tile.output + at, mul(p, m));
            } else {
                store(score_grads + at, mul(p, sub(sums[r][v], dot)));
            }
        }
    }
}

template <int V, int... R>
inline void run_score_grads_tile(int64_t rows, const Tile<float>& tile, const float* dots,
                                 const float* const* factors, float* score_grads,
                                 std::integer_sequence<int, R...>) {
    using Function = void (*)(const Tile<float>&, const float*, const float* const*, float*);
    constexpr Function functions[] = {&score_grads_tile<R + 1, V>...};
    functions[rows - 1](tile, dots, factors, score_grads);
}

// The factors of kDrawnKeys keys from `key` on and the block's queries.
inline void draw_factors(const AttentionGradArgs& args, const AttentionGradScratch& scratch,
                         const TileKeys& queries, int64_t key) {
    const DropoutFactors dropout(args.dropout);
    const int64_t stride = queries.stride();
    float* rows = scratch.factors + key % kFactorRows * stride;
    for (int64_t i = 0; i < stride; i += kLanes) {
        VecF factors[kDrawnKeys];
        dropout.draw_columns(args.first_row + static_cast<uint32_t>(queries.panels.begin + i), key, factors);
        for (int64_t k = 0; k < kDrawnKeys; k++) store(rows + k * stride + i, factors[k]);
    }
}

// grad_relative_bias[seq_len - 1 + key - query] += dSᵀ of one key.
inline void add_bias_grads(const AttentionGradArgs& args, const float* score_grads, int64_t key,
                           KeyRange queries) {
    float* grad = args.grad_relative_bias + args.forward.seq_len - 1 + key - queries.begin;
    for (int64_t i = 0; i < queries.count(); i++) grad[-i] += score_grads[i];
}

// The queries that see a tile of keys, and the whole panels that they lie in.
inline TileKeys queries_of(const AttentionArgs& args, int64_t key, int64_t rows) {
    const int64_t seq_len = args.seq_len;
    if (sees_all_keys(args)) return {{0, seq_len}, {0, seq_len}};
    const int64_t window = args.window == 0 ? seq_len : args.window;
    return in_panels({args.causal ? key : key - window, key + rows + window}, seq_len, kPanelWidth);
}

// The probabilities of one key without those of queries that do not see it.
inline void clear_unseeing(const AttentionArgs& args, KeyRange panels, int64_t key, float* probabilities) {
    const KeyRange seen = queries_of(args, key, 1).seen;
    for (int64_t i = panels.begin; i < seen.begin; i++) probabilities[i - panels.begin] = 0.0f;
    for (int64_t i = seen.end; i < panels.end; i++) probabilities[i - panels.begin] = 0.0f;
}

// A head's part of the work: the arguments, the same seen from the keys, and the scratch.
struct AttentionGradHead {
    AttentionGradArgs args, from_keys;
    AttentionGradScratch scratch;
};

// output [count, head_dim] = scale · rows · panels, both along the block's queries.
inline void key_grads(const AttentionGradHead& head, const TileKeys& queries, const float* rows,
                      int64_t count, const float* panels, float scale, float* output) {
    const AttentionArgs& forward = head.args.forward;
    float scales[kTileRows];
    for (float& each : scales) each = scale;
    Tile<float> tile{};
    tile.input = rows + queries.seen.begin - queries.panels.begin;
    tile.input_stride = queries.stride();
    tile.output_stride = head.args.grad_stride;
    tile.k = queries.seen.count();
    for_panels<kHeadPanelVectors>(forward.head_dim, [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = panels + first * forward.seq_len + queries.seen.begin * padded_columns(width);
        tile.output = output + first;
        tile.columns = width;
        run_context_tile<vectors>(count, tile, scales, kTileRowCounts);
    });
}

// `count` keys from `key` on, which are the rows from `row` on of their block: dSᵀ, dK and dV.
inline void attend_grad(const AttentionGradHead& head, const TileKeys& queries, int64_t key, int64_t row,
                        int64_t count) {
    const AttentionGradArgs& args = head.args;
    const AttentionArgs &forward = args.forward, &from_keys = head.from_keys.forward;
    const AttentionGradScratch& scratch = head.scratch;
    const int64_t stride = queries.stride(), first_query = queries.panels.begin;
    float *probabilities = scratch.probabilities, *score_grads = scratch.score_grads + row * stride;
    if (from_keys.position_rows != nullptr) {
        for (int64_t i = 0; i < count * stride; i++) probabilities[i] = 0.0f;
        add_position_terms(from_keys, scratch.positions, queries, {key, key + count}, probabilities);
    }
    Tile<float> tile{};
    tile.output_stride = stride;
    tile.k = forward.head_dim;
    const auto for_tiles = [&](const float* rows, int64_t row_stride, const float* panels, const auto& use) {
        tile.input = rows + key * row_stride;
        tile.input_stride = row_stride;
        for_panels<kTileVectors>(queries.panels.count(), [&](int64_t first, int64_t width, auto vectors) {
            tile.panel = panels + (first_query + first) * forward.head_dim;
            tile.output = probabilities + first;
            tile.columns = width;
            use(first, vectors);
        });
    };
    for_tiles(forward.key, forward.key_stride, scratch.queries, [&](int64_t first, auto vectors) {
        run_probabilities_tile<vectors>(count, tile, from_keys, scratch.minus_lse, key, first_query + first,
                                        kTileRowCounts);
    });
    if (!sees_all_keys(forward))
        for (int64_t r = 0; r < count; r++)
            clear_unseeing(forward, queries.panels, key + r, probabilities + r * stride);
    for_tiles(forward.value, forward.value_stride, scratch.grad_context, [&](int64_t first, auto vectors) {
        const float* factors[kTileRows];
        for (int64_t r = 0; r < count; r++)
            factors[r] = scratch.factors + (key + r) % kFactorRows * stride + first;
        run_score_grads_tile<vectors>(count, tile, scratch.dots + first_query + first,
                                      args.dropout.threshold > 0 ? factors : nullptr, score_grads + first,
                                      kTileRowCounts);
    });
    if (args.grad_relative_bias != nullptr)
        for (int64_t r = 0; r < count; r++)
            add_bias_grads(args, score_grads + r * stride, key + r, queries.panels);
    if (from_keys.position_rows != nullptr)
        spread_score_grads(head.from_keys, scratch.position_grads, queries, {key, key + count}, score_grads);
    key_grads(head, queries, probabilities, count, scratch.grad_rows, 1.0f,
              args.grad_value + key * args.grad_stride);
    key_grads(head, queries, score_grads, count, scratch.query_rows, forward.softmax_scale,
              args.grad_key + key * args.grad_stride);
}

// output [R, columns] = or, after the first block, += factor · Σ over `count` rows of a[row][r] · panel[row].
struct QueryGradTile {
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
void query_grad_tile(const QueryGradTile& tile) {
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
inline void query_grad_rows(int64_t rows, const QueryGradTile& tile, std::integer_sequence<int, R...>) {
    using Function = void (*)(const QueryGradTile&);
    constexpr Function functions[] = {&query_grad_tile<R + 1, V>...};
    functions[rows - 1](tile);
}

// The gradient of a block's queries from its `count` keys from `key` on.
inline void add_query_grads(const AttentionGradHead& head, const TileKeys& queries, int64_t key,
                            int64_t count, bool adds) {
    const AttentionGradArgs& args = head.args;
    const AttentionArgs& forward = args.forward;
    const int64_t all = queries.panels.count(), tiles = (all + kTileRows - 1) / kTileRows;
    pack_head_rows(forward.key + key * forward.key_stride, forward.key_stride, count, forward.head_dim,
                   head.scratch.key_rows);
    QueryGradTile tile{};
    tile.stride = queries.stride();
    tile.count = count;
    tile.factor = forward.softmax_scale;
    tile.adds = adds;
    tile.output_stride = args.grad_stride;
    float* output = args.grad_query + queries.panels.begin * args.grad_stride;
    for_panels<kHeadPanelVectors>(forward.head_dim, [&](int64_t first, int64_t width, auto vectors) {
        tile.panel = head.scratch.key_rows + first * count;
        tile.columns = width;
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = all * t / tiles, rows = all * (t + 1) / tiles - begin;
            tile.a = head.scratch.score_grads + begin;
            tile.output = output + begin * tile.output_stride + first;
            query_grad_rows<vectors>(rows, tile, kTileRowCounts);
        }
    });
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

// Rows of a head's gradient as 0.
inline void clear_rows(const AttentionGradArgs& args, int64_t count, float* rows) {
    for (int64_t row = 0; row < count; row++)
        for (int64_t i = 0; i < args.forward.head_dim; i++) rows[row * args.grad_stride + i] = 0.0f;
}

// The gradients of queries and keys before they turned.
inline void turn_back(const AttentionGradArgs& args) {
    if (args.forward.rotary == nullptr) return;
    for (float* rows : {args.grad_query, args.grad_key})
        turn_rows(args.forward, rows, args.grad_stride, rows, args.grad_stride, -1.0f);
}

// Everything that blocks of keys read of the head.
inline AttentionGradHead pack_attention_grad(const AttentionGradArgs& given) {
    AttentionGradHead head{given, given, attention_grad_parts(given.forward, given.forward.scratch)};
    AttentionArgs& forward = head.args.forward;
    const AttentionGradScratch& scratch = head.scratch;
    const int64_t seq_len = forward.seq_len, head_dim = forward.head_dim;
    turn(forward, scratch.turned);
    head.from_keys = seen_from_keys(head.args, scratch);
    if (forward.position_rows != nullptr) {
        pack_positions(head.from_keys.forward, scratch.positions);
        clear_position_grads(head.from_keys.forward, scratch.position_grads);
    }
    pack_keys(forward.query, forward.query_stride, seq_len, head_dim, scratch.queries);
    pack_keys(given.grad_context, forward.hidden_size, seq_len, head_dim, scratch.grad_context);
    pack_head_rows(forward.query, forward.query_stride, seq_len, head_dim, scratch.query_rows);
    pack_head_rows(given.grad_context, forward.hidden_size, seq_len, head_dim, scratch.grad_rows);
    gather_query_sums(head.args, scratch);
    return head;
}

inline void attention_grad(const AttentionGradArgs& args) {
    const int64_t seq_len = args.forward.seq_len, num_keys = args.forward.num_keys;
    if (args.grad_relative_bias != nullptr)
        for (int64_t i = 0; i < 2 * seq_len - 1; i++) args.grad_relative_bias[i] = 0.0f;
    if (seq_len == 0) {  // nobody saw the keys
        for (float* rows : {args.grad_key, args.grad_value}) clear_rows(args, num_keys, rows);
        return;
    }
    if (seq_len == 1 && num_keys == 1) return attention_grad_of_one(args);
    const AttentionGradHead head = pack_attention_grad(args);
    // The first block writes the gradients of all queries; one that meets a part of them adds to all.
    const bool adds = args.forward.window > 0;
    if (adds) clear_rows(args, seq_len, args.grad_query);
    for (int64_t first = 0; first < num_keys; first += kKeyBlock) {
        const int64_t count = num_keys - first < kKeyBlock ? num_keys - first : kKeyBlock,
                      tiles = (count + kTileRows - 1) / kTileRows;
        const TileKeys queries = queries_of(args.forward, first, count);
        int64_t drawn = first;  // keys whose factors are there
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = count * t / tiles, end = count * (t + 1) / tiles;
            for (; args.dropout.threshold > 0 && drawn < first + end; drawn += kDrawnKeys)
                draw_factors(head.args, head.scratch, queries, drawn);
            attend_grad(head, queries, first + begin, begin, end - begin);
        }
        add_query_grads(head, queries, first, count, adds || first > 0);
    }
    if (args.forward.position_rows != nullptr)
        add_position_grads(head.from_keys, head.scratch.position_grads);
    turn_back(args);
}
