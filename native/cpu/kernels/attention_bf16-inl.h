// Attention as in attention-inl.h, with q, k, v and the probabilities rounded to bf16. Keys are panels
// [head_dim / 2][keys][2], values [keys / 2][head_dim][2]: pairs along the summed dimension.

constexpr int kHeadVectors = 2;  // 8 x 32: leaves registers for the powers, and suits 32 and 64 columns
constexpr int64_t kHeadWidth = kHeadVectors * kLanes;

struct Bf16Scratch {
    uint8_t* queries;  // bf16 rows
    uint8_t* keys;     // panels, scaled so that scores are powers of two
    uint8_t* values;
    float* turned;           // [2][seq_len][head_dim]: queries and keys, where they turn
    float* scores;           // [kBf16Rows][padded num_keys], where powers need a maximum
    uint8_t* probabilities;  // [kBf16Rows] bf16 rows
    int64_t floats;
};

inline Bf16Scratch bf16_scratch(const AttentionArgs& args, float* base) {
    const int64_t seq_len = args.seq_len, num_keys = args.num_keys, head_dim = args.head_dim;
    int64_t at = 0;
    const auto part = [&](int64_t bytes) {
        const int64_t begin = at;
        at += (bytes + 63) / 64 * 64;
        return reinterpret_cast<uint8_t*>(base) + begin;
    };
    Bf16Scratch scratch{};
    scratch.queries = part(seq_len * bf16_row_bytes(head_dim));
    scratch.keys = part(bf16_panel_bytes(num_keys, head_dim));
    scratch.values = part(bf16_panel_bytes(head_dim, num_keys));
    scratch.turned = reinterpret_cast<float*>(part(turned_floats(args) * 4));
    scratch.scores = reinterpret_cast<float*>(part(kBf16Rows * padded_columns(num_keys) * 4));
    scratch.probabilities = part(kBf16Rows * bf16_row_bytes(num_keys));
    scratch.floats = at / 4;
    return scratch;
}

int64_t bf16_attention_scratch(const AttentionArgs& args) { return bf16_scratch(args, nullptr).floats; }

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

// The keys from `first` on that a query's window shows.
inline __mmask16 lanes_seen(KeyRange keys, int64_t first) {
    return lanes_below(keys.end - first) & static_cast<__mmask16>(~lanes_below(keys.begin - first));
}

// windows: of R rows, the keys that each sees; not read unless kWindow.
template <int R, int V, bool kWindow>
void bf16_powers_tile(const Bf16Tile& tile, uint8_t* probabilities, int64_t row_bytes,
                      const KeyRange* windows, int64_t first_key, Powers& powers) {
    VecF sums[R][V];
    multiply_bf16_tile<R, V, false>(tile, sums);
    VecI seen = powers.seen;
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        auto* row = reinterpret_cast<uint16_t*>(probabilities + r * row_bytes);
        VecF e[V], total = powers.totals[r];
        for (int v = 0; v < V; v++) {
            const __mmask16 lanes = kWindow ? lanes_seen(windows[r], first_key + v * kLanes)
                                            : lanes_below(tile.columns - v * kLanes);
            e[v] = exp2_for_bf16(sums[r][v], lanes, seen);
            total = add(total, e[v]);
        }
        powers.totals[r] = total;
        if constexpr (V == 2) {
            _mm512_storeu_si512(row, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(e[1], e[0])));
        } else {
            store_bf16(row, e[0]);
        }
    }
    powers.seen = seen;
}

template <int V, bool kWindow, int... R>
inline void run_bf16_powers_tile(int64_t rows, const Bf16Tile& tile, uint8_t* probabilities,
                                 int64_t row_bytes, const KeyRange* windows, int64_t first_key,
                                 Powers& powers, std::integer_sequence<int, R...>) {
    using Function = void (*)(const Bf16Tile&, uint8_t*, int64_t, const KeyRange*, int64_t, Powers&);
    constexpr Function functions[] = {&bf16_powers_tile<R + 1, V, kWindow>...};
    functions[rows - 1](tile, probabilities, row_bytes, windows, first_key, powers);
}

template <int R, int V>
void bf16_context_tile(const Bf16Tile& tile, const float* factors) {
    VecF sums[R][V];
    multiply_bf16_tile<R, V, false>(tile, sums);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++)
            _mm512_mask_storeu_ps(tile.output + r * tile.output_stride + v * kLanes,
                                  lanes_below(tile.columns - v * kLanes), mul(sums[r][v], set(factors[r])));
}

template <int V, int... R>
inline void run_bf16_context_tile(int64_t rows, const Bf16Tile& tile, const float* factors,
                                  std::integer_sequence<int, R...>) {
    using Function = void (*)(const Bf16Tile&, const float*);
    constexpr Function functions[] = {&bf16_context_tile<R + 1, V>...};
    functions[rows - 1](tile, factors);
}

// With the row's maximum, for biases and for scores too large for powers as they are. The scores are those of
// the tile's keys; what the query does not see becomes 0.
inline float bf16_softmax_row(const AttentionArgs& args, const TileKeys& tile, float* scores, int64_t query,
                              uint8_t* out) {
    const KeyRange keys = keys_of(args, query, 1).seen, panels = tile.panels;
    float* own = scores + keys.begin - panels.begin;
    if (args.relative_bias != nullptr) {
        const float* bias = args.relative_bias + args.seq_len - 1 - query + keys.begin;
        for (int64_t i = 0; i < keys.count(); i++) own[i] += bias[i] * kLog2E;
    }
    const float total = exponentiate(own, keys.count(), kLn2);
    for (int64_t key = panels.begin; key < keys.begin; key++) scores[key - panels.begin] = 0.0f;
    for (int64_t key = keys.end; key < panels.end; key++) scores[key - panels.begin] = 0.0f;
    bf16_rows(scores, 0, 1, panels.count(), nullptr, out);
    return total;
}

// One row of args.scores.
inline void write_bf16_probabilities(const AttentionArgs& args, KeyRange keys, int64_t query,
                                     const uint8_t* probabilities, float inverse) {
    float* row = args.scores + query * args.num_keys;
    for (int64_t key = 0; key < args.num_keys; key++) row[key] = 0.0f;
    for (int64_t key = keys.begin; key < keys.end; key++) {
        const uint32_t bits = uint32_t{reinterpret_cast<const uint16_t*>(probabilities)[key - keys.begin]}
                              << 16;
        float probability;
        __builtin_memcpy(&probability, &bits, 4);
        row[key] = probability * inverse;
    }
}

inline void attend_bf16(const AttentionArgs& args, const Bf16Scratch& scratch, int64_t begin, int64_t rows) {
    constexpr auto kRowCounts = std::make_integer_sequence<int, kBf16Rows>();
    const TileKeys keys = keys_of(args, begin, rows, kHeadWidth);
    const int64_t head_dim = args.head_dim, count = keys.panels.count(), row_bytes = bf16_row_bytes(count);
    const auto for_panels = [](int64_t columns, const auto& function) {
        for (int64_t first = 0; first < columns; first += kHeadWidth)
            with_vectors<kHeadVectors>((columns - first + kLanes - 1) / kLanes,
                                       [&](auto vectors) { function(first, vectors); });
    };
    KeyRange windows[kBf16Rows];
    for (int64_t r = 0; r < rows; r++) windows[r] = keys_of(args, begin + r, 1).seen;
    Bf16Tile tile{};
    tile.row_bytes = bf16_row_bytes(head_dim);
    tile.rows = scratch.queries + begin * tile.row_bytes;
    tile.pairs = pairs_of(head_dim);
    tile.output_stride = keys.stride();
    static_assert(kBf16Rows <= kTileRows, "as many totals as rows");
    Powers powers{};
    const auto score = [&](bool as_powers) {
        for_panels(count, [&](int64_t first, auto vectors) {
            tile.panel = scratch.keys + (keys.panels.begin + first) * tile.pairs * 4;
            tile.columns = count - first;
            uint8_t* probabilities = scratch.probabilities + first * 2;
            if (!as_powers) {
                tile.output = scratch.scores + first;
                run_bf16_rows<PairsByInstruction, vectors, false>(rows, tile, kRowCounts);
            } else if (sees_all_keys(args)) {
                run_bf16_powers_tile<vectors, false>(rows, tile, probabilities, row_bytes, nullptr, 0, powers,
                                                     kRowCounts);
            } else {
                run_bf16_powers_tile<vectors, true>(rows, tile, probabilities, row_bytes, windows,
                                                    keys.panels.begin + first, powers, kRowCounts);
            }
        });
    };
    bool as_powers = args.relative_bias == nullptr;
    score(as_powers);
    if (as_powers && outside_of_range(powers.seen)) score(as_powers = false);
    float inverse[kBf16Rows];
    for (int64_t r = 0; r < rows; r++) {
        uint8_t* probabilities = scratch.probabilities + r * row_bytes;
        float* scores = scratch.scores + r * keys.stride();
        inverse[r] = 1.0f / (as_powers ? sum(powers.totals[r])
                                       : bf16_softmax_row(args, keys, scores, begin + r, probabilities));
        if (args.scores != nullptr)
            write_bf16_probabilities(args, keys.panels, begin + r, probabilities, inverse[r]);
    }
    tile.rows = scratch.probabilities;
    tile.row_bytes = row_bytes;
    tile.pairs = pairs_of(count);
    tile.output_stride = args.hidden_size;
    for_panels(head_dim, [&](int64_t first, auto vectors) {
        const int64_t left = head_dim - first, width = left < kHeadWidth ? padded_columns(left) : kHeadWidth;
        tile.panel = scratch.values + first * pairs_of(args.num_keys) * 4 + keys.panels.begin / 2 * width * 4;
        tile.output = args.context + begin * args.hidden_size + first;
        tile.columns = left;
        run_bf16_context_tile<vectors>(rows, tile, inverse, kRowCounts);
    });
}

void attention_bf16(const AttentionArgs& given) {
    AttentionArgs args = given;
    const int64_t seq_len = args.seq_len, head_dim = args.head_dim;
    const Bf16Scratch scratch = bf16_scratch(args, args.scratch);
    turn(args, scratch.turned);
    bf16_rows(args.query, args.query_stride, seq_len, head_dim, nullptr, scratch.queries);
    pack_bf16_keys(args.key, args.key_stride, args.num_keys, head_dim, set(args.softmax_scale * kLog2E),
                   scratch.keys);
    pack_bf16_values(args.value, args.value_stride, args.num_keys, head_dim, scratch.values);
    const int64_t tiles = (seq_len + kBf16Rows - 1) / kBf16Rows;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        attend_bf16(args, scratch, begin, rows);
    }
}
