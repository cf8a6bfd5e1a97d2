// bfloat16 products with fp32 sums: pairs of neighbouring k go through one vdpbf16ps. Weights and GEMM inputs
// are rounded to bf16 (relative error 2^-9, to nearest even); sums, residuals, LayerNorm and softmax stay
// fp32. Each output element sums its pairs in order of k, whatever the tile: no row depends on its
// batch-mates.

constexpr int kBf16Rows = 8;
constexpr int kBf16Vectors = 3;
constexpr int64_t kBf16Width = kBf16Vectors * kLanes;

inline int64_t pairs_of(int64_t k) { return (k + 1) / 2; }

inline uint16_t to_bf16(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// [k / 2][padded columns][2]
int64_t bf16_panel_bytes(int64_t columns, int64_t k) { return padded_columns(columns) * pairs_of(k) * 4; }

void pack_bf16_panel(const float* weight, int64_t rows, int64_t k, const float* input_scale, void* dst) {
    const int64_t width = padded_columns(rows);
    uint16_t* panel = static_cast<uint16_t*>(dst);
    for (int64_t pair = 0; pair < pairs_of(k); pair++) {
        for (int64_t row = 0; row < width; row++) {
            for (int64_t i = 2 * pair; i < 2 * pair + 2; i++) {
                const bool inside = row < rows && i < k;
                const float scale = input_scale != nullptr && inside ? input_scale[i] : 1.0f;
                *panel++ = inside ? to_bf16(weight[row * k + i] * scale) : uint16_t{0};
            }
        }
    }
}

// Rows are padded to whole cache lines, so that a row's last store stays inside.
int64_t bf16_row_bytes(int64_t k) { return (k * 2 + 63) / 64 * 64; }

inline void store_bf16(uint16_t* p, VecF x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
}

void bf16_rows(const float* x, int64_t stride, int64_t rows, int64_t k, const float* inverse_scale,
               uint8_t* dst) {
    for (int64_t row = 0; row < rows; row++, x += stride, dst += bf16_row_bytes(k)) {
        for (int64_t i = 0; i < k; i += kLanes) {
            VecF value = k - i >= kLanes ? load(x + i) : load_first(x + i, k - i);
            if (inverse_scale != nullptr)
                value = mul(value,
                            k - i >= kLanes ? load(inverse_scale + i) : load_first(inverse_scale + i, k - i));
            store_bf16(reinterpret_cast<uint16_t*>(dst) + i, value);
        }
    }
}

struct Bf16Tile {
    const uint8_t* rows;  // bf16 rows, stride row_bytes
    int64_t row_bytes;
    const uint8_t* panel;  // [pairs][V lanes][2]
    int64_t pairs;
    const float* bias;      // V vectors, or null
    const float* residual;  // stride output_stride, or null
    float* output;
    int64_t output_stride;
    int64_t columns;
    const uint8_t* next_panel;  // prefetched
};

template <int R, int V, bool kPrefetch>
inline void bf16_tile(const Bf16Tile& tile) {
    VecF sums[R][V];
    for (int v = 0; v < V; v++) {
        const VecF start = tile.bias != nullptr ? load(tile.bias + v * kLanes) : zero();
        for (int r = 0; r < R; r++) sums[r][v] = start;
    }
    const uint8_t* panel = tile.panel;
    const uint8_t* next = tile.next_panel;
    BERTHA_NO_UNROLL
    for (int64_t pair = 0; pair < tile.pairs; pair++) {
        __m512bh w[V];
        for (int v = 0; v < V; v++) w[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel + v * 64));
        if (kPrefetch)
            for (int v = 0; v < V; v++) prefetch(next + v * 64);
        for (int r = 0; r < R; r++) {
            int32_t two;
            __builtin_memcpy(&two, tile.rows + r * tile.row_bytes + pair * 4, sizeof two);
            const auto x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
            for (int v = 0; v < V; v++) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], x, w[v]);
        }
        panel += V * 64;
        next += V * 64;
    }
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        float* output = tile.output + r * tile.output_stride;
        const float* residual = tile.residual != nullptr ? tile.residual + r * tile.output_stride : nullptr;
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const int64_t left = tile.columns - v * kLanes;
            if (left >= kLanes) {
                store(output + v * kLanes,
                      residual != nullptr ? add(sums[r][v], load(residual + v * kLanes)) : sums[r][v]);
            } else if (left > 0) {
                const VecF y = residual != nullptr ? add(sums[r][v], load_first(residual + v * kLanes, left))
                                                   : sums[r][v];
                store_first(output + v * kLanes, y, left);
            }
        }
    }
}

template <int V, bool kPrefetch, int... R>
inline void run_bf16_rows(int64_t rows, const Bf16Tile& tile, std::integer_sequence<int, R...>) {
    using Function = void (*)(const Bf16Tile&);
    constexpr Function functions[] = {&bf16_tile<R + 1, V, kPrefetch>...};
    functions[rows - 1](tile);
}

inline void run_bf16_tile(int64_t vectors, bool prefetch_next, int64_t rows, const Bf16Tile& tile) {
    constexpr auto kRowCounts = std::make_integer_sequence<int, kBf16Rows>();
    if (vectors == 1) return run_bf16_rows<1, false>(rows, tile, kRowCounts);
    if (vectors == 2) return run_bf16_rows<2, false>(rows, tile, kRowCounts);
    if (prefetch_next) return run_bf16_rows<kBf16Vectors, true>(rows, tile, kRowCounts);
    run_bf16_rows<kBf16Vectors, false>(rows, tile, kRowCounts);
}

// The columns of all panels for one tile of rows, or for many tiles panel by panel.
void bf16_gemm(const LinearArgs& args) {
    const int64_t n = args.matrix.n, k = args.matrix.k, row_bytes = bf16_row_bytes(k);
    const int64_t tiles = (args.rows + kBf16Rows - 1) / kBf16Rows;
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel++) {
        const int64_t column = panel * kBf16Width;
        Bf16Tile tile{};
        tile.row_bytes = row_bytes;
        tile.panel = static_cast<const uint8_t*>(args.matrix.panels) + column * pairs_of(k) * 4;
        tile.pairs = pairs_of(k);
        tile.bias = args.bias != nullptr ? args.bias + column : nullptr;
        tile.output_stride = args.output_stride;
        tile.columns = n - column < kBf16Width ? n - column : kBf16Width;
        tile.next_panel = tile.panel + kBf16Width * pairs_of(k) * 4;
        const int64_t vectors = (tile.columns + kLanes - 1) / kLanes;
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = args.rows * t / tiles, rows = args.rows * (t + 1) / tiles - begin;
            tile.rows = args.prepared + begin * row_bytes;
            tile.output = args.output + begin * args.output_stride + column;
            tile.residual = args.residual != nullptr ? args.residual + begin * args.output_stride + column
                                                     : nullptr;
            run_bf16_tile(vectors, t == 0, rows, tile);
        }
    }
}

constexpr MatrixFormat kBf16Format = {"bf16",
                                      kBf16Width,
                                      bf16_panel_bytes,
                                      pack_bf16_panel,
                                      bf16_row_bytes,
                                      bf16_rows,
                                      linear<bf16_gemm, kBf16Width>};

// Attention as in attention-inl.h, with q, k, v and the probabilities rounded to bf16. Keys are panels
// [head_dim / 2][keys][2], values [keys / 2][head_dim][2]: pairs along the summed dimension.
struct Bf16Scratch {
    uint8_t* queries;  // bf16 rows
    uint8_t* keys;     // bf16 rows, then panels of pairs
    uint8_t* key_panels;
    uint8_t* value_panels;
    float* scores;           // [kBf16Rows][padded seq_len]
    uint8_t* probabilities;  // [kBf16Rows] bf16 rows
    int64_t floats;
};

inline Bf16Scratch bf16_scratch(int64_t seq_len, int64_t head_dim, float* base) {
    const int64_t rows = seq_len * bf16_row_bytes(head_dim);
    int64_t at = 0;
    const auto part = [&](int64_t bytes) {
        const int64_t begin = at;
        at += (bytes + 63) / 64 * 64;
        return reinterpret_cast<uint8_t*>(base) + begin;
    };
    Bf16Scratch scratch{};
    scratch.queries = part(rows);
    scratch.keys = part(rows);
    scratch.key_panels = part(bf16_panel_bytes(seq_len, head_dim));
    scratch.value_panels = part(bf16_panel_bytes(head_dim, seq_len));
    scratch.scores = reinterpret_cast<float*>(part(kBf16Rows * padded_columns(seq_len) * 4));
    scratch.probabilities = part(kBf16Rows * bf16_row_bytes(seq_len));
    scratch.floats = at / 4;
    return scratch;
}

int64_t bf16_attention_scratch(int64_t seq_len, int64_t head_dim) {
    return bf16_scratch(seq_len, head_dim, nullptr).floats;
}

// Two rows of values become one row of pairs.
inline void pack_bf16_values(const float* v, int64_t stride, int64_t seq_len, int64_t head_dim,
                             uint8_t* dst) {
    for (int64_t first = 0; first < head_dim; first += kBf16Width) {
        const int64_t valid = head_dim - first < kBf16Width ? head_dim - first : kBf16Width,
                      width = padded_columns(valid);
        uint8_t* panel = dst + first * pairs_of(seq_len) * 4;
        for (int64_t row = 0; row < seq_len; row += 2) {
            for (int64_t column = 0; column < width; column += kLanes, panel += 64) {
                const float* even = v + row * stride + first + column;
                const int64_t left = valid - column;
                const VecF a = left >= kLanes ? load(even) : load_first(even, left);
                VecF b = zero();
                if (row + 1 < seq_len)
                    b = left >= kLanes ? load(even + stride) : load_first(even + stride, left);
                const __m512i low = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(a)));
                const __m512i high = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(b)));
                _mm512_storeu_si512(panel, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
            }
        }
    }
}

// 2^x with a relative error of 2.7e-6, for what is rounded to bf16; below -126 the result is 2^-126.
inline VecF exp2_for_bf16(VecF x) {
    x = max(x, set(-126.0f));
    // x - floor(x); scalef takes the floor by itself.
    const VecF f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    VecF p = set(1.353416126e-02f);
    p = fma(p, f, set(5.201147869e-02f));
    p = fma(p, f, set(2.414427400e-01f));
    p = fma(p, f, set(6.930038333e-01f));
    p = fma(p, f, set(1.000002623e+00f));
    return scale_by_power(p, x);
}

// As softmax_row; the probabilities go to `out` as a bf16 row.
inline float bf16_softmax_row(const AttentionArgs& args, float* scores, int64_t query, uint8_t* out) {
    const int64_t seq_len = args.seq_len;
    const float scale = add_relative_bias(args, scores, query) * kLog2E;
    const int64_t whole = seq_len / (2 * kLanes) * (2 * kLanes);
    const auto inside = [&](int64_t i) {
        return seq_len - i >= kLanes ? __mmask16{0xffff} : first_lanes(seq_len - i);
    };
    VecF top = set(-3.4e38f), other = top;
    for (int64_t i = 0; i < whole; i += 2 * kLanes) {
        top = max(top, load(scores + i));
        other = max(other, load(scores + i + kLanes));
    }
    for (int64_t i = whole; i < seq_len; i += kLanes)
        top = _mm512_mask_max_ps(top, inside(i), top, _mm512_maskz_loadu_ps(inside(i), scores + i));
    // One FMA: what the product with the peak is rounded by, all keys have in common.
    const VecF factor = set(scale), shift = set(-scale * largest(max(top, other)));
    VecF total = zero(), more = zero();
    auto* probabilities = reinterpret_cast<uint16_t*>(out);
    for (int64_t i = 0; i < whole; i += 2 * kLanes) {
        const VecF a = exp2_for_bf16(fma(load(scores + i), factor, shift)),
                   b = exp2_for_bf16(fma(load(scores + i + kLanes), factor, shift));
        total = add(total, a);
        more = add(more, b);
        _mm512_storeu_si512(probabilities + i, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
        if (args.scores != nullptr) {
            store(scores + i, a);
            store(scores + i + kLanes, b);
        }
    }
    for (int64_t i = whole; i < seq_len; i += kLanes) {
        const VecF x = fma(_mm512_maskz_loadu_ps(inside(i), scores + i), factor, shift);
        const VecF e = _mm512_maskz_mov_ps(inside(i), exp2_for_bf16(x));
        total = add(total, e);
        store_bf16(probabilities + i, e);
        if (args.scores != nullptr) _mm512_mask_storeu_ps(scores + i, inside(i), e);
    }
    total = add(total, more);
    const float row_sum = sum(total);
    if (args.scores != nullptr)
        for (int64_t key = 0; key < seq_len; key++)
            args.scores[query * seq_len + key] = scores[key] / row_sum;
    return row_sum;
}

void attention_bf16(const AttentionArgs& args) {
    const int64_t seq_len = args.seq_len, head_dim = args.head_dim, stride = 3 * args.hidden_size;
    const Bf16Scratch scratch = bf16_scratch(seq_len, head_dim, args.scratch);
    const int64_t row_bytes = bf16_row_bytes(head_dim), padded = padded_columns(seq_len),
                  probability_bytes = bf16_row_bytes(seq_len);
    bf16_rows(args.qkv, stride, seq_len, head_dim, nullptr, scratch.queries);
    bf16_rows(args.qkv + args.hidden_size, stride, seq_len, head_dim, nullptr, scratch.keys);
    // A pair of bf16 moves like one float.
    pack_keys(reinterpret_cast<const float*>(scratch.keys), row_bytes / 4, seq_len, pairs_of(head_dim),
              reinterpret_cast<float*>(scratch.key_panels));
    pack_bf16_values(args.qkv + 2 * args.hidden_size, stride, seq_len, head_dim, scratch.value_panels);
    const int64_t tiles = (seq_len + kBf16Rows - 1) / kBf16Rows;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        Bf16Tile tile{};
        tile.rows = scratch.queries + begin * row_bytes;
        tile.row_bytes = row_bytes;
        tile.pairs = pairs_of(head_dim);
        tile.output_stride = padded;
        for (int64_t key = 0; key < seq_len; key += kBf16Width) {
            tile.panel = scratch.key_panels + key * tile.pairs * 4;
            tile.output = scratch.scores + key;
            tile.columns = seq_len - key < kBf16Width ? seq_len - key : kBf16Width;
            run_bf16_tile((tile.columns + kLanes - 1) / kLanes, false, rows, tile);
        }
        float inverse[kBf16Rows];
        for (int64_t row = 0; row < rows; row++) {
            float* scores = scratch.scores + row * padded;
            inverse[row] = 1.0f / bf16_softmax_row(args, scores, begin + row,
                                                   scratch.probabilities + row * probability_bytes);
        }
        tile.rows = scratch.probabilities;
        tile.row_bytes = probability_bytes;
        tile.pairs = pairs_of(seq_len);
        tile.output_stride = args.hidden_size;
        for (int64_t column = 0; column < head_dim; column += kBf16Width) {
            tile.panel = scratch.value_panels + column * tile.pairs * 4;
            tile.output = args.context + begin * args.hidden_size + column;
            tile.columns = head_dim - column < kBf16Width ? head_dim - column : kBf16Width;
            run_bf16_tile((tile.columns + kLanes - 1) / kLanes, false, rows, tile);
        }
        scale_rows(args.context + begin * args.hidden_size, args.hidden_size, rows, head_dim, inverse);
    }
}
