// The backward of a linear, beside dX, which is an ordinary product with transposed panels.
//
// dWᵀ = Xᵀ dY runs on register tiles as in gemm-inl.h, along the rows: R neighbouring columns of X times one
// panel of dY. For a block of kSumRows rows both are copied, so that the inner loop streams them: columns of
// X lie pages apart, in few sets of L1, and a panel of dY is used kPackedInputs / R times. A tile sums a
// block in registers and adds it to the gradient, block after block: each element has one owner and one
// order.

// sums[r][v] = Σ over `count` rows of a[row][r] · panel[row][v], in order of rows.
template <int R, int V>
inline void multiply_transposed(const float* a, int64_t stride, const float* panel, int64_t count,
                                VecF (&sums)[R][V]) {
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++) sums[r][v] = zero();
    BERTHA_NO_UNROLL
    for (int64_t i = 0; i < count; i++) {
        VecF columns[V];
        for (int v = 0; v < V; v++) {
            columns[v] = load(panel + v * kLanes);
            BERTHA_KEEP_IN_REGISTER(columns[v]);
        }
        for (int r = 0; r < R; r++) {
            const VecF x = set(a[r]);
            for (int v = 0; v < V; v++) sums[r][v] = fma(x, columns[v], sums[r][v]);
        }
        a += stride;
        panel += V * kLanes;
    }
}

template <int R, int V>
void add_transposed_tile(const float* a, const float* panel, int64_t count, float* output) {
    VecF sums[R][V];
    multiply_transposed<R, V>(a, R, panel, count, sums);
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            float* place = output + (r * V + v) * kLanes;
            store(place, add(load(place), sums[r][v]));
        }
    }
}

template <int V, int... R>
inline void add_transposed_rows(int64_t rows, const float* a, const float* panel, int64_t count,
                                float* output, std::integer_sequence<int, R...>) {
    using Function = void (*)(const float*, const float*, int64_t, float*);
    constexpr Function functions[] = {&add_transposed_tile<R + 1, V>...};
    functions[rows - 1](a, panel, count, output);
}

// Rows to be summed, `count` of x, as they are.
struct PlainRows {
    const float* x;
    int64_t stride;
    int64_t count;

    int64_t summed() const { return count; }
    const float* row(int64_t i) const { return x + i * stride; }
    static constexpr bool kConverts = false;
    static VecF convert(VecF value) { return value; }
};

// The first `valid` columns of rows as a panel of V vectors.
template <int V, typename Rows>
inline void copy_panel(const Rows& rows, int64_t valid, float* panel) {
    for (int64_t i = 0; i < rows.summed(); i++, panel += V * kLanes) {
        const float* x = rows.row(i);
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const int64_t left = x == nullptr ? 0 : valid - v * kLanes;
            VecF value = zero();
            if (left >= kLanes) {
                value = load(x + v * kLanes);
            } else if (left > 0) {
                value = load_first(x + v * kLanes, left);
            }
            store(panel + v * kLanes, Rows::convert(value));
        }
    }
}
template <int V>
inline void copy_panel(const float* x, int64_t stride, int64_t count, int64_t valid, float* panel) {
    copy_panel<V>(PlainRows{x, stride, count}, valid, panel);
}

// Columns of X that are packed at a time, and the floats of a tile of them: not a multiple of a page, or all
// tiles would begin in the same set of L1.
constexpr int64_t kPackedInputs = 384;
constexpr int64_t kPackedTile = kSumRows * kTileRows + 16;

inline int64_t linear_grad_weight_scratch(int64_t) {
    return kSumRows * kPanelWidth + (kPackedInputs + kTileRows - 1) / kTileRows * kPackedTile;
}

// Evenly cut tiles of some columns of X.
struct InputTiles {
    int64_t inputs;
    int64_t count() const { return (inputs + kTileRows - 1) / kTileRows; }
    int64_t begin(int64_t tile) const { return inputs * tile / count(); }
    int64_t width(int64_t tile) const { return begin(tile + 1) - begin(tile); }
};

// Rows as tiles, each [rows][its columns]; some rows at a time, so that a line is written whole.
template <typename Rows>
inline void pack_inputs(const Rows& from, const InputTiles& tiles, float* out) {
    constexpr int64_t kRows = 4;
    alignas(64) float converted[kRows][kPackedInputs + kLanes];
    for (int64_t first = 0; first < from.summed(); first += kRows) {
        const int64_t left = from.summed() - first, count = left < kRows ? left : kRows;
        const float* rows[kRows];
        for (int64_t i = 0; i < count; i++) {
            rows[i] = from.row(first + i);
            if constexpr (Rows::kConverts) {
                for (int64_t column = 0; column < tiles.inputs; column += kLanes) {
                    const int64_t rest = rows[i] == nullptr ? 0 : tiles.inputs - column;
                    const VecF value = rest >= kLanes ? load(rows[i] + column)
                                       : rest > 0     ? load_first(rows[i] + column, rest)
                                                      : zero();
                    store(converted[i] + column, Rows::convert(value));
                }
                rows[i] = converted[i];
            }
        }
        for (int64_t tile = 0; tile < tiles.count(); tile++) {
            const int64_t width = tiles.width(tile), begin = tiles.begin(tile);
            float* to = out + tile * kPackedTile + first * width;
            for (int64_t i = 0; i < count; i++, to += width) {
                if (width == kTileRows) {
                    __builtin_memcpy(to, rows[i] + begin, kTileRows * sizeof(float));
                } else {
                    for (int64_t column = 0; column < width; column++) to[column] = rows[i][begin + column];
                }
            }
        }
    }
}

template <typename Rows>
inline void linear_grad_weight_of(const LinearGradWeightArgs& args) {
    float *panel = args.scratch, *packed = panel + kSumRows * kPanelWidth;
    for_grad_blocks(args, kPackedInputs, [&](int64_t first, int64_t rows, int64_t begin, int64_t inputs) {
        const InputTiles tiles{inputs};
        const Rows input{args.input + first * args.input_stride + begin, args.input_stride, rows};
        const int64_t count = input.summed();
        pack_inputs(input, tiles, packed);
        for_grad_panels<kTileVectors>(args, [&](int64_t column, int64_t columns, auto vectors) {
            copy_panel<vectors>(
                Rows{args.grad_output + first * args.grad_stride + column, args.grad_stride, rows}, columns,
                panel);
            float* grad = args.grad + column * args.k + begin * vectors * kLanes;
            for (int64_t tile = 0; tile < tiles.count(); tile++)
                add_transposed_rows<vectors>(tiles.width(tile), packed + tile * kPackedTile, panel, count,
                                             grad + tiles.begin(tile) * vectors * kLanes,
                                             std::make_integer_sequence<int, kTileRows>());
        });
    });
}

inline void linear_grad_weight(const LinearGradWeightArgs& args) { linear_grad_weight_of<PlainRows>(args); }

inline void transpose_panel(const float* panels, int64_t n, int64_t k, int64_t panel, float* out) {
    const int64_t first = panel * kPanelWidth, valid = k - first < kPanelWidth ? k - first : kPanelWidth,
                  width = padded_columns(valid);
    for (int64_t column = 0; column < n; column += kPanelWidth) {
        const int64_t count = n - column < kPanelWidth ? n - column : kPanelWidth,
                      source_width = padded_columns(count);
        const float* source = panels + column * k + first * source_width;
        for (int64_t i = 0; i < width; i += kLanes) {
            int64_t j = 0;
            if (i + kLanes <= valid)
                for (; j + kLanes <= count; j += kLanes)
                    transpose(source + i * source_width + j, source_width, out + (column + j) * width + i,
                              width);
            for (; j < count; j++)
                for (int64_t lane = 0; lane < kLanes; lane++)
                    out[(column + j) * width + i + lane] = i + lane < valid
                                                               ? source[(i + lane) * source_width + j]
                                                               : 0.0f;
        }
    }
}

inline void column_sums(const float* x, int64_t rows, int64_t width, int64_t begin, int64_t end,
                        float* sums) {
    constexpr int kVectors = 4;  // a row's cache lines are read while they are near
    for (int64_t first = 0; first < rows; first += kSumRows) {
        const int64_t last = rows - first < kSumRows ? rows : first + kSumRows;
        for (int64_t column = begin; column < end; column += kVectors * kLanes) {
            const int64_t left = end - column;
            with_vectors<kVectors>((left + kLanes - 1) / kLanes, [&](auto vectors) {
                constexpr int V = vectors;
                VecF totals[V];
                for (VecF& total : totals) total = zero();
                for (int64_t row = first; row < last; row++) {
                    BERTHA_UNROLL
                    for (int v = 0; v < V; v++) {
                        const float* p = x + row * width + column + v * kLanes;
                        const int64_t lanes = left - v * kLanes;
                        totals[v] = add(totals[v], lanes >= kLanes ? load(p) : load_first(p, lanes));
                    }
                }
                BERTHA_UNROLL
                for (int v = 0; v < V; v++) {
                    float* place = sums + column + v * kLanes;
                    const int64_t lanes = left - v * kLanes;
                    if (lanes >= kLanes) {
                        store(place, add(load(place), totals[v]));
                    } else {
                        store_first(place, add(load_first(place, lanes), totals[v]), lanes);
                    }
                }
            });
        }
    }
}
