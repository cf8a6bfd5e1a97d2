// Attention as in attention-inl.h, with q, k, v and the probabilities rounded to bf16. Keys are panels
// [head_dim / 2][keys][2], values [keys / 2][head_dim][2]: pairs along the summed dimension.

constexpr int kHeadVectors = 2;  // 8 x 32: leaves registers for the powers, and suits 32 and 64 columns
constexpr int64_t kHeadWidth = kHeadVectors * kLanes;

struct Bf16Scratch {
    uint8_t* queries;  // bf16 rows
    uint8_t* keys;     // panels, scaled so that scores are powers of two
    uint8_t* values;
    float* scores;           // [kBf16Rows][padded seq_len], where powers need a maximum
    uint8_t* probabilities;  // [kBf16Rows] bf16 rows
    int64_t floats;
};

inline Bf16Scratch bf16_scratch(int64_t seq_len, int64_t head_dim, float* base) {
    int64_t at = 0;
    const auto part = [&](int64_t bytes) {
        const int64_t begin = at;
        at += (bytes + 63) / 64 * 64;
        return reinterpret_cast<uint8_t*>(base) + begin;
    };
    Bf16Scratch scratch{};
    scratch.queries = part(seq_len * bf16_row_bytes(head_dim));
    scratch.keys = part(bf16_panel_bytes(seq_len, head_dim));
    scratch.values = part(bf16_panel_bytes(head_dim, seq_len));
    scratch.scores = reinterpret_cast<float*>(part(kBf16Rows * padded_columns(seq_len) * 4));
    scratch.probabilities = part(kBf16Rows * bf16_row_bytes(seq_len));
    scratch.floats = at / 4;
    return scratch;
}

int64_t bf16_attention_scratch(int64_t seq_len, int64_t head_dim) {
    return bf16_scratch(seq_len, head_dim, nullptr).floats;
}

inline __mmask16 lanes_below(int64_t n) {
    return n >= kLanes ? __mmask16{0xffff} : n <= 0 ? __mmask16{0} : first_lanes(n);
}

// 32 floats as bf16, those from n on 0.
inline __m512i load_bf16(const float* p, int64_t n, VecF factor) {
    const VecF low = _mm512_maskz_loadu_ps(lanes_below(n), p),
               high = _mm512_maskz_loadu_ps(lanes_below(n - kLanes), p + kLanes);
    return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(mul(high, factor), mul(low, factor)));
}

// A pair of bf16 moves like one float.
inline void pack_bf16_keys(const float* k, int64_t stride, int64_t seq_len, int64_t head_dim, VecF factor,
                           uint8_t* dst) {
    const int64_t pairs = pairs_of(head_dim);
    for (int64_t key = 0; key < seq_len; key += kLanes) {
        const int64_t first = key / kHeadWidth * kHeadWidth, left = padded_columns(seq_len - first),
                      width = left < kHeadWidth ? left : kHeadWidth;
        float* panel = reinterpret_cast<float*>(dst) + first * pairs + (key - first);
        for (int64_t pair = 0; pair < pairs; pair += kLanes) {
            VecF rows[kLanes], columns[kLanes];
            for (int64_t i = 0; i < kLanes; i++)
                rows[i] = key + i < seq_len ? _mm512_castsi512_ps(load_bf16(k + (key + i) * stride + 2 * pair,
                                                                            head_dim - 2 * pair, factor))
                                            : zero();
            if (pairs - pair >= kLanes) {
                transpose(rows, panel + pair * width, width);
                continue;
            }
            transpose(rows, reinterpret_cast<float*>(columns), kLanes);
            for (int64_t i = 0; i < pairs - pair; i++) store(panel + (pair + i) * width, columns[i]);
        }
    }
}

// Two rows of values become one row of pairs.
inline void pack_bf16_values(const float* v, int64_t stride, int64_t seq_len, int64_t head_dim,
                             uint8_t* dst) {
    alignas(64) static constexpr int16_t kInterleave[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                            21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                            11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i interleave = _mm512_load_si512(kInterleave);
    for (int64_t first = 0; first < head_dim; first += kHeadWidth) {
        const int64_t valid = head_dim - first < kHeadWidth ? head_dim - first : kHeadWidth,
                      width = padded_columns(valid);
        uint8_t* panel = dst + first * pairs_of(seq_len) * 4;
        for (int64_t row = 0; row < seq_len; row += 2) {
            for (int64_t column = 0; column < width; column += kLanes, panel += 64) {
                const float* even = v + row * stride + first + column;
                const __mmask16 inside = lanes_below(valid - column);
                const VecF a = _mm512_maskz_loadu_ps(inside, even),
                           b = _mm512_maskz_loadu_ps(row + 1 < seq_len ? inside : 0, even + stride);
                const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a));
                _mm512_storeu_si512(panel, _mm512_permutexvar_epi16(interleave, both));
            }
        }
    }
}

// As exp2_in_range(x, 1, seen), with a relative error of 7.5e-5, for what is rounded to bf16; 0 outside of
// `lanes`.
inline VecF exp2_for_bf16(VecF x, __mmask16 lanes, VecI& seen) {
    const VecF whole = add(x, set(kPowerRounder));
    collect(seen, whole);
    const VecF f = sub(x, sub(whole, set(kPowerRounder)));
    VecF p = set(5.517162755e-02f * kPowerUnit);
    p = fma(p, f, set(2.426111400e-01f * kPowerUnit));
    p = fma(p, f, set(6.932609677e-01f * kPowerUnit));
    p = fma(p, f, set(9.999280572e-01f * kPowerUnit));
    return _mm512_castsi512_ps(_mm512_maskz_add_epi32(lanes, _mm512_castps_si512(p),
                                                      _mm512_slli_epi32(_mm512_castps_si512(whole), 23)));
}

template <int R, int V>
inline void bf16_powers_tile(const Bf16Tile& tile, uint8_t* probabilities, int64_t row_bytes, VecF* totals,
                             VecI& seen) {
    VecF sums[R][V];
    multiply_bf16_tile<R, V, false>(tile, sums);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        auto* row = reinterpret_cast<uint16_t*>(probabilities + r * row_bytes);
        VecF e[V];
        for (int v = 0; v < V; v++) {
            e[v] = exp2_for_bf16(sums[r][v], lanes_below(tile.columns - v * kLanes), seen);
            totals[r] = add(totals[r], e[v]);
        }
        if constexpr (V == 2) {
            _mm512_storeu_si512(row, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(e[1], e[0])));
        } else {
            store_bf16(row, e[0]);
        }
    }
}

template <int R, int V>
inline void bf16_context_tile(const Bf16Tile& tile, const float* factors) {
    VecF sums[R][V];
    multiply_bf16_tile<R, V, false>(tile, sums);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++)
            _mm512_mask_storeu_ps(tile.output + r * tile.output_stride + v * kLanes,
                                  lanes_below(tile.columns - v * kLanes), mul(sums[r][v], set(factors[r])));
}

// With the row's maximum, for biases and for scores too large for powers as they are.
inline float bf16_softmax_row(const AttentionArgs& args, float* scores, int64_t query, uint8_t* out) {
    if (args.relative_bias != nullptr) {
        const float* bias = args.relative_bias + args.seq_len - 1 - query;
        for (int64_t key = 0; key < args.seq_len; key++) scores[key] += bias[key] * kLog2E;
    }
    const float total = exponentiate(scores, args.seq_len, kLn2);
    bf16_rows(scores, 0, 1, args.seq_len, nullptr, out);
    return total;
}

template <int R>
void attend_bf16(const AttentionArgs& args, const Bf16Scratch& scratch, int64_t begin) {
    const int64_t seq_len = args.seq_len, head_dim = args.head_dim, padded = padded_columns(seq_len),
                  row_bytes = bf16_row_bytes(seq_len);
    const auto for_panels = [](int64_t columns, const auto& function) {
        for (int64_t first = 0; first < columns; first += kHeadWidth)
            with_vectors<kHeadVectors>((columns - first + kLanes - 1) / kLanes,
                                       [&](auto vectors) { function(first, vectors); });
    };
    Bf16Tile tile{};
    tile.row_bytes = bf16_row_bytes(head_dim);
    tile.rows = scratch.queries + begin * tile.row_bytes;
    tile.pairs = pairs_of(head_dim);
    tile.output_stride = padded;
    VecF totals[R];
    for (VecF& total : totals) total = zero();
    VecI seen = zero_int();
    const auto score = [&](bool powers) {
        for_panels(seq_len, [&](int64_t first, auto vectors) {
            tile.panel = scratch.keys + first * tile.pairs * 4;
            tile.columns = seq_len - first;
            if (powers) {
                bf16_powers_tile<R, vectors>(tile, scratch.probabilities + first * 2, row_bytes, totals,
                                             seen);
            } else {
                tile.output = scratch.scores + first;
                bf16_tile<R, vectors, false>(tile);
            }
        });
    };
    bool powers = args.relative_bias == nullptr;
    score(powers);
    if (powers && outside_of_range(seen)) score(powers = false);
    float inverse[R];
    for (int r = 0; r < R; r++) {
        uint8_t* probabilities = scratch.probabilities + r * row_bytes;
        inverse[r] = 1.0f /
                     (powers ? sum(totals[r])
                             : bf16_softmax_row(args, scratch.scores + r * padded, begin + r, probabilities));
        if (args.scores == nullptr) continue;
        for (int64_t key = 0; key < seq_len; key++) {
            const uint32_t bits = uint32_t{reinterpret_cast<const uint16_t*>(probabilities)[key]} << 16;
            float probability;
            __builtin_memcpy(&probability, &bits, 4);
            args.scores[(begin + r) * seq_len + key] = probability * inverse[r];
        }
    }
    tile.rows = scratch.probabilities;
    tile.row_bytes = row_bytes;
    tile.pairs = pairs_of(seq_len);
    tile.output_stride = args.hidden_size;
    for_panels(head_dim, [&](int64_t first, auto vectors) {
        tile.panel = scratch.values + first * tile.pairs * 4;
        tile.output = args.context + begin * args.hidden_size + first;
        tile.columns = head_dim - first;
        bf16_context_tile<R, vectors>(tile, inverse);
    });
}

template <int... R>
inline void attend_rows_bf16(int64_t rows, const AttentionArgs& args, const Bf16Scratch& scratch,
                             int64_t begin, std::integer_sequence<int, R...>) {
    using Function = void (*)(const AttentionArgs&, const Bf16Scratch&, int64_t);
    constexpr Function functions[] = {&attend_bf16<R + 1>...};
    functions[rows - 1](args, scratch, begin);
}

void attention_bf16(const AttentionArgs& args) {
    const int64_t seq_len = args.seq_len, head_dim = args.head_dim, stride = 3 * args.hidden_size;
    const Bf16Scratch scratch = bf16_scratch(seq_len, head_dim, args.scratch);
    bf16_rows(args.qkv, stride, seq_len, head_dim, nullptr, scratch.queries);
    pack_bf16_keys(args.qkv + args.hidden_size, stride, seq_len, head_dim, set(args.softmax_scale * kLog2E),
                   scratch.keys);
    pack_bf16_values(args.qkv + 2 * args.hidden_size, stride, seq_len, head_dim, scratch.values);
    const int64_t tiles = (seq_len + kBf16Rows - 1) / kBf16Rows;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        attend_rows_bf16(rows, args, scratch, begin, std::make_integer_sequence<int, kBf16Rows>());
    }
}
