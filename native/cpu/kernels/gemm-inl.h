// output [rows, n] = input [rows, k] · weightᵀ, on panels of packed columns.
//
// One register tile holds R rows x (P panels x V vectors) of columns for the whole of k: no K blocking (a
// panel of 3072 x 48 floats still streams from L2) and no packing of the input. Panels are the outer loop and
// row tiles the inner one, so a panel is read from memory once and stays in L1/L2 for all rows; meanwhile the
// next panel is prefetched, which is the largest single win at few rows. Each output element is bias + its
// products summed in order of k, whatever R, P and the thread count: results do not depend on batch-mates.

constexpr int64_t kPanelWidth = kLanes * kTileVectors;

// How far ahead of its own reads a panel is fetched that one tile of rows takes: far enough for memory, near
// enough to be in L1 still. With more tiles the next panel is fetched, while this one is in L1 or L2.
constexpr int64_t kFetchAhead = 16384;

inline int64_t padded_columns(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

template <typename Element>
struct Tile {
    const float* input;
    int64_t input_stride;
    const Element* panel;  // [k][V lanes]
    int64_t panel_stride;  // elements to the next panel, used when P > 1
    int64_t k;
    const float* bias;      // V * P vectors, or null
    const float* residual;  // stride output_stride, or null
    float* output;
    int64_t output_stride;
    int64_t columns;            // valid columns, at most P * V * kLanes
    const Element* next_panel;  // prefetched, L cache lines a k step
};

// kInputLanes steps of k from `rows` on, where an FMA can take its input from a lane of a register: one load
// for all of them.
template <typename Element, int R, int V, int P, int L, int... Lane>
inline void multiply_by_lane(const float* const (&rows)[R], const Element* panel, int64_t panel_stride,
                             const Element* next, VecF (&sums)[R][V * P],
                             std::integer_sequence<int, Lane...>) {
    constexpr int kLine = 64 / sizeof(Element);
    VecF inputs[R];
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) inputs[r] = load(rows[r]);
    // Column by column: with all of a step's columns at once the registers would not hold 6 x 16 sums.
    const auto step = [&](auto lane) {
        BERTHA_UNROLL
        for (int line = 0; line < L; line++) prefetch(next + (lane * L + line) * kLine);
        BERTHA_UNROLL
        for (int v = 0; v < V * P; v++) {
            const VecF column = load(panel + (v / V) * panel_stride + (lane * V + v % V) * kLanes);
            BERTHA_UNROLL
            for (int r = 0; r < R; r++) sums[r][v] = fma_lane(column, inputs[r], lane, sums[r][v]);
        }
    };
    (step(std::integral_constant<int, Lane>()), ...);
}

template <typename Element, int R, int V, int P, int L>
inline void multiply_tile(const Tile<Element>& tile, VecF (&sums)[R][V * P]) {
    constexpr int kVectors = V * P;
    constexpr int kStep = V * static_cast<int>(kLanes);
    constexpr int kLine = 64 / sizeof(Element);
    BERTHA_UNROLL
    for (int v = 0; v < kVectors; v++) {
        const VecF start = tile.bias != nullptr ? load(tile.bias + v * kLanes) : zero();
        BERTHA_UNROLL
        for (int r = 0; r < R; r++) sums[r][v] = start;
    }
    const Element* panel = tile.panel;
    const Element* next = tile.next_panel;
    const float* rows[R];
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) rows[r] = tile.input + r * tile.input_stride;
    int64_t left = tile.k;
    if constexpr (kInputLanes > 1) {
        BERTHA_NO_UNROLL
        for (; left >= kInputLanes; left -= kInputLanes) {
            multiply_by_lane<Element, R, V, P, L>(rows, panel, tile.panel_stride, next, sums,
                                                  std::make_integer_sequence<int, kInputLanes>());
            BERTHA_UNROLL
            for (int r = 0; r < R; r++) rows[r] += kInputLanes;
            panel += kInputLanes * kStep;
            next += kInputLanes * L * kLine;
        }
    }
    BERTHA_NO_UNROLL
    for (int64_t i = 0; i < left; i++) {
        VecF columns[kVectors];
        BERTHA_UNROLL
        for (int v = 0; v < kVectors; v++) {
            columns[v] = load(panel + (v / V) * tile.panel_stride + (v % V) * kLanes);
            BERTHA_KEEP_IN_REGISTER(columns[v]);
        }
        BERTHA_UNROLL
        for (int line = 0; line < L; line++) prefetch(next + line * kLine);
        BERTHA_UNROLL
        for (int r = 0; r < R; r++) {
            const VecF x = set(rows[r][i]);
            BERTHA_UNROLL
            for (int v = 0; v < kVectors; v++) sums[r][v] = fma(x, columns[v], sums[r][v]);
        }
        panel += kStep;
        next += L * kLine;
    }
}

// The first `left` lanes of sum + residual (or null); none below 1.
inline void store_sum(VecF sum, const float* residual, int64_t left, float* output) {
    if (left >= kLanes) {
        store(output, residual != nullptr ? add(sum, load(residual)) : sum);
    } else if (left > 0) {
        store_first(output, residual != nullptr ? add(sum, load_first(residual, left)) : sum, left);
    }
}

// Writes a tile's sums, with the residual where there is one.
template <int R, int V, typename AnyTile>
inline void store_tile(const AnyTile& tile, const VecF (&sums)[R][V]) {
    // Unrolled whole, or clang keeps the sums in memory (an index that is not a constant): 83 instead of 248
    // GF/s.
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        float* output = tile.output + r * tile.output_stride;
        const float* residual = tile.residual != nullptr ? tile.residual + r * tile.output_stride : nullptr;
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            store_sum(sums[r][v], residual != nullptr ? residual + v * kLanes : nullptr,
                      tile.columns - v * kLanes, output + v * kLanes);
        }
    }
}

template <typename Element, int R, int V, int P, int L>
inline void compute_tile(const Tile<Element>& tile) {
    VecF sums[R][V * P];
    multiply_tile<Element, R, V, P, L>(tile, sums);
    store_tile(tile, sums);
}

template <typename Element>
using TileFunction = void (*)(const Tile<Element>&);

template <typename Element, int V, int P, int L, int... R>
constexpr TileFunction<Element> tile_function(int64_t rows, std::integer_sequence<int, R...>) {
    constexpr TileFunction<Element> functions[] = {&compute_tile<Element, R + 1, V, P, L>...};
    return functions[rows - 1];
}

template <typename Element, int V, int P, int L>
inline void run_tile(int64_t rows, const Tile<Element>& tile) {
    tile_function<Element, V, P, L>(rows, std::make_integer_sequence<int, (P > 1 ? 2 : kTileRows)>())(tile);
}

// Calls function(integral_constant<int, vectors>), vectors <= V.
template <int V, typename Function>
inline void with_vectors(int64_t vectors, const Function& function) {
    if constexpr (V > 1)
        if (vectors < V) return with_vectors<V - 1>(vectors, function);
    function(std::integral_constant<int, V>());
}

// The last panel of a matrix may have fewer vectors.
template <typename Element>
inline void run_narrow_tile(int64_t vectors, int64_t rows, const Tile<Element>& tile) {
    with_vectors<kTileVectors - 1>(
        vectors, [&](auto narrow) { run_tile<Element, decltype(narrow)::value, 1, 0>(rows, tile); });
}

// One or two rows leave too few independent sums to hide the latency of an FMA: take several panels at once.
constexpr int kPanelsForOneRow = 4;
constexpr int kPanelsForTwoRows = 2;

// rows [rows, k] times panels panel_begin .. panel_end of the matrix.
template <typename Element>
inline void gemm(const LinearArgs& args) {
    constexpr int kLines = kTileVectors * static_cast<int>(kLanes * sizeof(Element)) / 64;  // of one k step
                                                                                            // of a panel
    constexpr int kAllLines = kLines > 0 ? kLines : 1;
    const int64_t n = args.matrix.n, k = args.matrix.k;
    const int64_t tiles = (args.rows + kTileRows - 1) / kTileRows;
    int64_t panel = args.panel_begin;
    while (panel < args.panel_end) {
        const int64_t column = panel * kPanelWidth;
        const int64_t columns = n - column < kPanelWidth ? n - column : kPanelWidth;
        Tile<Element> tile{};
        tile.input_stride = args.input_stride;
        tile.output_stride = args.output_stride;
        tile.panel_stride = args.matrix.panel_bytes / static_cast<int64_t>(sizeof(Element));
        tile.panel = static_cast<const Element*>(args.matrix.panels) + panel * tile.panel_stride;
        tile.k = k;
        tile.bias = args.bias != nullptr ? args.bias + column : nullptr;
        int64_t taken = args.rows == 1 ? kPanelsForOneRow : args.rows == 2 ? kPanelsForTwoRows : 1;
        if (panel + taken > args.panel_end || column + taken * kPanelWidth > n) taken = 1;
        tile.columns = taken == 1 ? columns : taken * kPanelWidth;
        tile.next_panel = tile.panel + (tiles == 1 ? kFetchAhead / static_cast<int64_t>(sizeof(Element))
                                                   : taken * tile.panel_stride);
        const int64_t vectors = (columns + kLanes - 1) / kLanes;
        for (int64_t t = 0; t < tiles; t++) {
            // Rows split evenly: 16 rows on tiles of 12 are 8 + 8, never 12 + 4.
            const int64_t begin = args.rows * t / tiles, rows = args.rows * (t + 1) / tiles - begin;
            tile.input = args.input + begin * args.input_stride;
            tile.output = args.output + begin * args.output_stride + column;
            tile.residual = args.residual != nullptr ? args.residual + begin * args.output_stride + column
                                                     : nullptr;
            // Where an output is larger than the caches, its lines come while the tile is summed up.
            if (taken == 1)
                for (int64_t row = 0; row < rows; row++)
                    for (int v = 0; v < kTileVectors; v++)
                        prefetch(tile.output + row * args.output_stride + v * kLanes);
            if (taken == kPanelsForOneRow) {
                run_tile<Element, kTileVectors, kPanelsForOneRow, kAllLines>(rows, tile);
            } else if (taken == kPanelsForTwoRows) {
                run_tile<Element, kTileVectors, kPanelsForTwoRows, kAllLines>(rows, tile);
            } else if (vectors < kTileVectors) {
                run_narrow_tile(vectors, rows, tile);
            } else if (tiles == 1) {
                run_tile<Element, kTileVectors, 1, kAllLines>(rows, tile);
            } else if (t < kAllLines) {
                run_tile<Element, kTileVectors, 1, 1>(rows, tile);
                tile.next_panel += k * static_cast<int64_t>(64 / sizeof(Element));
            } else {
                run_tile<Element, kTileVectors, 1, 0>(rows, tile);
            }
        }
        panel += taken;
    }
}

// A product, then its activation over the columns just written, while they are in L1; then the residual.
template <void (*kProduct)(const LinearArgs&), int64_t kWidth,
          void (*kActivate)(Activation, float*, int64_t) = activate>
void linear(const LinearArgs& args) {
    if (args.activation == Activation::kNone) return kProduct(args);
    constexpr int64_t kPanels = 4;
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel += kPanels) {
        LinearArgs part = args;
        part.panel_begin = panel;
        part.panel_end = panel + kPanels < args.panel_end ? panel + kPanels : args.panel_end;
        part.residual = nullptr;
        kProduct(part);
        const int64_t begin = panel * kWidth;
        const int64_t end = part.panel_end * kWidth < args.matrix.n ? part.panel_end * kWidth : args.matrix.n;
        for (int64_t row = 0; row < args.rows; row++) {
            float* output = args.output + row * args.output_stride;
            kActivate(args.activation, output + begin, end - begin);
            if (args.residual == nullptr) continue;
            const float* residual = args.residual + row * args.output_stride;
            for (int64_t column = begin; column < end; column++) output[column] += residual[column];
        }
    }
}

// For outputs that the next product rounds to 8 bits or bf16.
void activate_rounded(Activation activation, float* x, int64_t count) {
    if (activation == Activation::kGelu) return activate_as<Activation::kGelu, true>(x, count);
    own_kernels().activate(activation, x, count);
}

inline int64_t no_row_bytes(int64_t) { return 0; }

// out = a ∘ b
inline void multiply_rows(const float* a, const float* b, float* out, int64_t count) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(out + i, mul(load(a + i), load(b + i)));
    if (i < count)
        store_first(out + i, mul(load_first(a + i, count - i), load_first(b + i, count - i)), count - i);
}

// The gate's columns of some rows go to the output, the other factor's to a buffer that stays in L1: 2n
// columns never meet memory. One panel of each for many rows; several for one or two, as the product takes
// them.
template <void (*kProduct)(const LinearArgs&), int64_t (*kRowBytes)(int64_t k), int64_t kWidth,
          void (*kActivate)(Activation, float*, int64_t) = activate>
void gated_linear(const LinearArgs& args) {
    constexpr int64_t kRows = 64;
    alignas(64) float other[kRows * kWidth];
    const int64_t n = args.matrix.n, panel_bytes = args.matrix.panel_bytes;
    const int64_t most = args.rows == 1 ? 4 : args.rows == 2 ? 2 : 1;
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel += most) {
        const int64_t left = args.panel_end - panel, panels = left < most ? left : most;
        const int64_t column = panel * kWidth, end = column + panels * kWidth,
                      columns = (end < n ? end : n) - column;
        LinearArgs part = args;
        part.activation = Activation::kNone;
        part.panel_begin = 0;
        part.panel_end = panels;
        // A single panel is followed by its partner, which the product fetches ahead.
        part.matrix.panel_bytes = panels > 1 ? 2 * panel_bytes : panel_bytes;
        part.matrix.n = columns;
        const auto* gates = static_cast<const uint8_t*>(args.matrix.panels) + 2 * panel * panel_bytes;
        for (int64_t row = 0; row < args.rows; row += kRows) {
            part.rows = args.rows - row < kRows ? args.rows - row : kRows;
            part.input = args.input + row * args.input_stride;
            part.prepared = args.prepared + row * kRowBytes(args.matrix.k);
            part.matrix.panels = gates;
            part.bias = args.bias != nullptr ? args.bias + column : nullptr;
            part.output = args.output + row * args.output_stride + column;
            part.output_stride = args.output_stride;
            kProduct(part);
            const LinearArgs gate = part;
            part.matrix.panels = gates + panel_bytes;
            part.bias = args.bias != nullptr ? args.bias + n + column : nullptr;
            part.output = other;
            part.output_stride = columns;
            kProduct(part);
            for (int64_t i = 0; i < part.rows; i++) {
                float* output = gate.output + i * args.output_stride;
                kActivate(args.activation, output, columns);
                multiply_rows(output, other + i * columns, output, columns);
            }
        }
    }
}

inline void gate(Activation activation, const float* x, float* out, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; row++, x += 2 * width, out += width) {
        __builtin_memcpy(out, x, static_cast<size_t>(width) * sizeof(float));
        activate(activation, out, width);
        multiply_rows(out, x + width, out, width);
    }
}

template <typename Element>
int64_t panel_bytes(int64_t columns, int64_t k) {
    return padded_columns(columns) * k * static_cast<int64_t>(sizeof(Element));
}

void pack_fp32_panel(const float* weight, int64_t rows, int64_t k, const float* input_scale, void* dst) {
    const int64_t width = padded_columns(rows);
    float* panel = static_cast<float*>(dst);
    for (int64_t row = 0; row < width; row += kLanes) {
        int64_t i = 0;
        if (row + kLanes <= rows && input_scale == nullptr)
            for (; i + kLanes <= k; i += kLanes)
                transpose(weight + row * k + i, k, panel + i * width + row, width);
        for (; i < k; i++) {
            const float scale = input_scale != nullptr ? input_scale[i] : 1.0f;
            for (int64_t lane = 0; lane < kLanes; lane++)
                panel[i * width + row + lane] = row + lane < rows ? weight[(row + lane) * k + i] * scale
                                                                  : 0.0f;
        }
    }
}

constexpr MatrixFormat kFp32Format = {"fp32",
                                      kPanelWidth,
                                      panel_bytes<float>,
                                      pack_fp32_panel,
                                      no_row_bytes,
                                      nullptr,
                                      linear<gemm<float>, kPanelWidth>,
                                      gated_linear<gemm<float>, no_row_bytes, kPanelWidth>};

// Weights as IEEE half floats, widened in the loop: half the memory traffic, which is what bounds large
// models at few tokens. 2^-11 relative error a weight; the sums stay fp32.
struct Half {
    uint16_t bits;
};

inline VecF load(const Half* p) { return load_half(&p->bits); }

void pack_fp16_panel(const float* weight, int64_t rows, int64_t k, const float* input_scale, void* dst) {
    const int64_t width = padded_columns(rows);
    uint16_t* panel = static_cast<uint16_t*>(dst);
    for (int64_t i = 0; i < k; i++) {
        const float scale = input_scale != nullptr ? input_scale[i] : 1.0f;
        for (int64_t row = 0; row < width; row += kLanes) {
            float column[kLanes];
            for (int64_t lane = 0; lane < kLanes; lane++)
                column[lane] = row + lane < rows ? weight[(row + lane) * k + i] * scale : 0.0f;
            store_half(panel + i * width + row, load(column));
        }
    }
}

constexpr MatrixFormat kFp16Format = {"fp16-weights",
                                      kPanelWidth,
                                      panel_bytes<Half>,
                                      pack_fp16_panel,
                                      no_row_bytes,
                                      nullptr,
                                      linear<gemm<Half>, kPanelWidth>,
                                      gated_linear<gemm<Half>, no_row_bytes, kPanelWidth>};
