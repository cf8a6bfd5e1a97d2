// bfloat16 products with fp32 sums: pairs of neighbouring k go through one vdpbf16ps, or, in
// bf16_by_fma-inl.h, through two FMAs. Weights and GEMM inputs are rounded to bf16 (relative error 2^-9, to
// nearest even); sums, residuals, LayerNorm and softmax stay fp32. Each output element sums its pairs in
// order of k, whatever the tile: no row depends on its batch-mates.

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

template <int R, int V>
inline void start_bf16_tile(const Bf16Tile& tile, VecF (&sums)[R][V]) {
    for (int v = 0; v < V; v++) {
        const VecF start = tile.bias != nullptr ? load(tile.bias + v * kLanes) : zero();
        for (int r = 0; r < R; r++) sums[r][v] = start;
    }
}

template <int R, int V, bool kPrefetch>
inline void multiply_bf16_tile(const Bf16Tile& tile, VecF (&sums)[R][V]) {
    start_bf16_tile(tile, sums);
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
}

// What a format's tiles multiply with.
struct PairsByInstruction {
    static int64_t row_bytes(int64_t k) { return bf16_row_bytes(k); }
    template <int R, int V, bool kPrefetch>
    static void multiply(const Bf16Tile& tile, VecF (&sums)[R][V]) {
        multiply_bf16_tile<R, V, kPrefetch>(tile, sums);
    }
};

template <int R, int V, bool kPrefetch, typename Pairs = PairsByInstruction>
inline void bf16_tile(const Bf16Tile& tile) {
    VecF sums[R][V];
    Pairs::template multiply<R, V, kPrefetch>(tile, sums);
    store_tile(tile, sums);
}

template <typename Pairs, int V, bool kPrefetch, int... R>
inline void run_bf16_rows(int64_t rows, const Bf16Tile& tile, std::integer_sequence<int, R...>) {
    using Function = void (*)(const Bf16Tile&);
    constexpr Function functions[] = {&bf16_tile<R + 1, V, kPrefetch, Pairs>...};
    functions[rows - 1](tile);
}

template <typename Pairs>
inline void run_bf16_tile(int64_t vectors, bool prefetch_next, int64_t rows, const Bf16Tile& tile) {
    constexpr auto kRowCounts = std::make_integer_sequence<int, kBf16Rows>();
    if (vectors == 1) return run_bf16_rows<Pairs, 1, false>(rows, tile, kRowCounts);
    if (vectors == 2) return run_bf16_rows<Pairs, 2, false>(rows, tile, kRowCounts);
    if (prefetch_next) return run_bf16_rows<Pairs, kBf16Vectors, true>(rows, tile, kRowCounts);
    run_bf16_rows<Pairs, kBf16Vectors, false>(rows, tile, kRowCounts);
}

// The columns of all panels for one tile of rows, or for many tiles panel by panel.
template <typename Pairs>
void bf16_gemm(const LinearArgs& args) {
    const int64_t n = args.matrix.n, k = args.matrix.k, row_bytes = Pairs::row_bytes(k);
    const int64_t tiles = (args.rows + kBf16Rows - 1) / kBf16Rows;
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel++) {
        const int64_t column = panel * kBf16Width;
        Bf16Tile tile{};
        tile.row_bytes = row_bytes;
        tile.panel = static_cast<const uint8_t*>(args.matrix.panels) + panel * args.matrix.panel_bytes;
        tile.pairs = pairs_of(k);
        tile.bias = args.bias != nullptr ? args.bias + column : nullptr;
        tile.output_stride = args.output_stride;
        tile.columns = n - column < kBf16Width ? n - column : kBf16Width;
        tile.next_panel = tile.panel + (tiles == 1 ? kFetchAhead : args.matrix.panel_bytes);
        const int64_t vectors = (tile.columns + kLanes - 1) / kLanes;
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = args.rows * t / tiles, rows = args.rows * (t + 1) / tiles - begin;
            tile.rows = args.prepared + begin * row_bytes;
            tile.output = args.output + begin * args.output_stride + column;
            tile.residual = args.residual != nullptr ? args.residual + begin * args.output_stride + column
                                                     : nullptr;
            run_bf16_tile<Pairs>(vectors, t == 0, rows, tile);
        }
    }
}

constexpr MatrixFormat kBf16Format = {
    "bf16",
    kBf16Width,
    bf16_panel_bytes,
    pack_bf16_panel,
    bf16_row_bytes,
    bf16_rows,
    linear<bf16_gemm<PairsByInstruction>, kBf16Width, activate_rounded>,
    gated_linear<bf16_gemm<PairsByInstruction>, bf16_row_bytes, kBf16Width, activate_rounded>};
