// bfloat16 products with fp32 sums by BFMMLA, on the tiles of blocks-inl.h. Weights and GEMM inputs are
// rounded to bf16 (relative error 2^-9, to nearest even); sums, residuals, LayerNorm and softmax stay fp32.
// The instruction adds four products to a sum in an order of its own, the same one for every element.

struct Bf16Blocks {
    using Sums = VecF;
    static VecF dot(VecF sums, VecI rows, VecI columns) {
        return vbfmmlaq_f32(sums, vreinterpretq_bf16_s32(rows), vreinterpretq_bf16_s32(columns));
    }
};

constexpr int64_t kBf16Group = kBlockBytes / 2;

inline int64_t padded_depth(int64_t k) {
    return (k + 2 * kBf16Group - 1) / (2 * kBf16Group) * 2 * kBf16Group;
}

inline void store_bf16(uint16_t* p, VecF x) {
    const bfloat16x4_t four = vcvt_bf16_f32(x);
    __builtin_memcpy(p, &four, sizeof four);
}

// [k / 4][padded columns][4]
int64_t bf16_panel_bytes(int64_t columns, int64_t k) { return padded_columns(columns) * padded_depth(k) * 2; }

// at(row, i): a weight of the panel.
template <typename At>
inline void pack_bf16_columns(int64_t rows, int64_t k, const At& at, void* dst) {
    const int64_t width = padded_columns(rows);
    uint16_t* panel = static_cast<uint16_t*>(dst);
    for (int64_t group = 0; group < padded_depth(k); group += kBf16Group) {
        for (int64_t row = 0; row < width; row++, panel += kBf16Group) {
            float four[kBf16Group];
            for (int64_t i = 0; i < kBf16Group; i++)
                four[i] = row < rows && group + i < k ? at(row, group + i) : 0.0f;
            store_bf16(panel, load(four));
        }
    }
}

void pack_bf16_panel(const float* weight, int64_t rows, int64_t k, const float* input_scale, void* dst) {
    const auto at = [&](int64_t row, int64_t i) {
        return weight[row * k + i] * (input_scale != nullptr ? input_scale[i] : 1.0f);
    };
    pack_bf16_columns(rows, k, at, dst);
}

int64_t bf16_row_bytes(int64_t k) { return padded_depth(k) * 2; }

// Zeros behind a row: what lies there is multiplied by zeros, and must be a number.
void bf16_rows(const float* x, int64_t stride, int64_t rows, int64_t k, const float* inverse_scale,
               uint8_t* dst) {
    for (int64_t row = 0; row < rows; row++, x += stride, dst += bf16_row_bytes(k)) {
        auto* out = reinterpret_cast<uint16_t*>(dst);
        for (int64_t i = 0; i < padded_depth(k); i += kLanes) {
            const int64_t left = k - i;
            VecF value = left > 0 ? load_first(x + i, left) : zero();
            if (inverse_scale != nullptr && left > 0) value = mul(value, load_first(inverse_scale + i, left));
            store_bf16(out + i, value);
        }
    }
}

struct Bf16Tile {
    const uint8_t* rows;  // bf16 rows, stride row_bytes
    int64_t row_bytes;
    const uint8_t* panel;
    int64_t steps;
    int64_t ahead;          // bytes to what is prefetched
    const float* bias;      // a panel's, or null
    const float* residual;  // stride output_stride, or null
    float* output;
    int64_t output_stride;
    int64_t columns;
};

template <int R, int V, bool kPrefetch>
inline void bf16_tile(const Bf16Tile& tile) {
    VecF sums[R][V];
    multiply_blocks<Bf16Blocks, R, V, kPrefetch>(tile.rows, tile.row_bytes, tile.panel, tile.steps,
                                                 tile.ahead, sums);
    if (tile.bias != nullptr)
        for (int v = 0; v < V; v++)
            for (int r = 0; r < R; r++) sums[r][v] = add(sums[r][v], load(tile.bias + v * kLanes));
    store_tile(tile, sums);
}

template <int V, bool kPrefetch, int... R>
inline void run_bf16_rows(int64_t rows, const Bf16Tile& tile, std::integer_sequence<int, R...>) {
    using Function = void (*)(const Bf16Tile&);
    constexpr Function functions[] = {&bf16_tile<R + 1, V, kPrefetch>...};
    functions[rows - 1](tile);
}

// Panels outside, tiles of rows inside, as in gemm-inl.h; the last tile fetches the next panel.
void bf16_gemm(const LinearArgs& args) {
    constexpr auto kRowCounts = std::make_integer_sequence<int, kBlockRows>();
    const int64_t n = args.matrix.n, k = args.matrix.k, tiles = (args.rows + kBlockRows - 1) / kBlockRows;
    Bf16Tile tile{};
    tile.row_bytes = bf16_row_bytes(k);
    tile.steps = tile.row_bytes / kBlockStep;
    tile.ahead = tiles == 1 ? kFetchAhead : args.matrix.panel_bytes;
    tile.output_stride = args.output_stride;
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel++) {
        const int64_t column = panel * kBlockWidth;
        tile.panel = static_cast<const uint8_t*>(args.matrix.panels) + panel * args.matrix.panel_bytes;
        tile.bias = args.bias != nullptr ? args.bias + column : nullptr;
        tile.columns = n - column < kBlockWidth ? n - column : kBlockWidth;
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = args.rows * t / tiles, rows = args.rows * (t + 1) / tiles - begin,
                          at = begin * args.output_stride + column;
            tile.rows = args.prepared + begin * tile.row_bytes;
            tile.output = args.output + at;
            tile.residual = args.residual != nullptr ? args.residual + at : nullptr;
            if (tile.columns <= kLanes) {
                run_bf16_rows<1, false>(rows, tile, kRowCounts);
            } else if (t == tiles - 1) {
                run_bf16_rows<kBlockVectors, true>(rows, tile, kRowCounts);
            } else {
                run_bf16_rows<kBlockVectors, false>(rows, tile, kRowCounts);
            }
        }
    }
}

constexpr MatrixFormat kBf16Format = {"bf16",
                                      kBlockWidth,
                                      bf16_panel_bytes,
                                      pack_bf16_panel,
                                      bf16_row_bytes,
                                      bf16_rows,
                                      linear<bf16_gemm, kBlockWidth, activate_rounded>,
                                      gated_linear<bf16_gemm, bf16_row_bytes, kBlockWidth, activate_rounded>};
