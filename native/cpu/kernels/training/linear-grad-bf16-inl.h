// dWᵀ += Xᵀ dY as in linear-grad-inl.h with products of bf16: both operands as pairs of neighbouring rows, an
// odd last row with zeros. Sums and gradient stay fp32. X is paired in chunks of the columns of two tiles.

constexpr int64_t kPairRows = kSumRows / 2;
constexpr int64_t kPairColumns = 2 * kBf16Rows;  // 16: one vector of X

// Rows `row` and `row + 1` of 16 columns, the first `valid` of them, as [16][2]; a second row of null: zeros.
inline __m512i pair_rows(const float* first, const float* second, int64_t valid) {
    const __mmask16 lanes = lanes_below(valid);
    const VecF a = _mm512_maskz_loadu_ps(lanes, first),
               b = second != nullptr ? _mm512_maskz_loadu_ps(lanes, second) : zero();
    const __m512i low = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(a))),
                  high = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(b)));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

// `count` rows of x, V vectors of columns, `valid` of them, -> [(count + 1) / 2][V · 16][2]
template <int V>
inline void pair_panel(const float* x, int64_t stride, int64_t count, int64_t valid, uint8_t* out) {
    for (int64_t row = 0; row < count; row += 2, out += V * 64) {
        const float* first = x + row * stride;
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const float* column = first + v * kLanes;
            _mm512_storeu_si512(out + v * 64, pair_rows(column, row + 1 < count ? column + stride : nullptr,
                                                        valid - v * kLanes));
        }
    }
}

// grad [R][V vectors] += Σ over pairs of x[pair][r] · panel[pair][v]
template <int R, int V>
void add_paired_tile(const uint8_t* x, const uint8_t* panel, int64_t pairs, float* grad) {
    VecF sums[R][V];
    for (int r = 0; r < R; r++)
        for (int v = 0; v < V; v++) sums[r][v] = zero();
    BERTHA_NO_UNROLL
    for (int64_t pair = 0; pair < pairs; pair++) {
        __m512bh columns[V];
        for (int v = 0; v < V; v++)
            columns[v] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel + v * 64));
        for (int r = 0; r < R; r++) {
            int32_t two;
            __builtin_memcpy(&two, x + r * 4, sizeof two);
            const auto factor = reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
            for (int v = 0; v < V; v++) sums[r][v] = _mm512_dpbf16_ps(sums[r][v], factor, columns[v]);
        }
        x += kPairColumns * 4;
        panel += V * 64;
    }
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            float* place = grad + (r * V + v) * kLanes;
            store(place, add(load(place), sums[r][v]));
        }
    }
}

template <int V, int... R>
inline void add_paired_rows(int64_t rows, const uint8_t* x, const uint8_t* panel, int64_t pairs, float* grad,
                            std::integer_sequence<int, R...>) {
    using Function = void (*)(const uint8_t*, const uint8_t*, int64_t, float*);
    constexpr Function functions[] = {&add_paired_tile<R + 1, V>...};
    functions[rows - 1](x, panel, pairs, grad);
}

constexpr int64_t kPairedInputs = 384;  // columns of X that are paired at a time, for all panels of a call

inline int64_t linear_grad_weight_bf16_scratch(int64_t) { return kPairRows * (kBf16Width + kPairedInputs); }

inline void linear_grad_weight_bf16(const LinearGradWeightArgs& args) {
    uint8_t* panel = reinterpret_cast<uint8_t*>(args.scratch);
    uint8_t* paired = panel + kPairRows * kBf16Width * 4;
    for_grad_blocks(args, kPairedInputs, [&](int64_t first, int64_t count, int64_t begin, int64_t inputs) {
        const auto for_chunks = [&](const auto& use) {
            for (int64_t i = 0; i < inputs; i += kPairColumns)
                use(i, inputs - i < kPairColumns ? inputs - i : kPairColumns, paired + i * kPairRows * 4);
        };
        const float* input = args.input + first * args.input_stride + begin;
        for_chunks([&](int64_t i, int64_t width, uint8_t* chunk) {
            pair_panel<1>(input + i, args.input_stride, count, width, chunk);
        });
        for_grad_panels<kBf16Vectors>(args, [&](int64_t column, int64_t columns, auto vectors) {
            pair_panel<vectors>(args.grad_output + first * args.grad_stride + column, args.grad_stride, count,
                                columns, panel);
            float* grad = args.grad + column * args.k + begin * vectors * kLanes;
            for_chunks([&](int64_t i, int64_t width, const uint8_t* chunk) {
                for (int64_t at = 0; at < width; at += kBf16Rows)
                    add_paired_rows<vectors>(width - at < kBf16Rows ? width - at : kBf16Rows, chunk + at * 4,
                                             panel, pairs_of(count), grad + (i + at) * vectors * kLanes,
                                             std::make_integer_sequence<int, kBf16Rows>());
            });
        });
    });
}

// Rows for products by FMA: rounded, and those of a pair in the order in which vdpbf16ps adds them. Its odd
// last row pairs with zeros, null here.
struct RoundedRows {
    const float* x;
    int64_t stride;
    int64_t count;

    int64_t summed() const { return 2 * pairs_of(count); }
    const float* row(int64_t i) const { return (i ^ 1) < count ? x + (i ^ 1) * stride : nullptr; }
    static constexpr bool kConverts = true;
    static VecF convert(VecF value) { return round_to_bf16(value); }
};

// Panels of a matrix [n, k] as KernelTable::fp32 packs them -> panel `panel` as pack_bf16_panel does. Its
// rows of a panel are along the summed dimension already.
inline void round_panel(const float* panels, int64_t n, int64_t k, int64_t panel, void* out) {
    const int64_t first = panel * kBf16Width,
                  width = padded_columns(n - first < kBf16Width ? n - first : kBf16Width);
    const float* source = panels + first * k;
    uint8_t* dst = static_cast<uint8_t*>(out);
    for (int64_t i = 0; i < k; i += 2, source += 2 * width)
        for (int64_t row = 0; row < width; row += kLanes, dst += 64)
            _mm512_storeu_si512(dst,
                                pair_rows(source + row, i + 1 < k ? source + width + row : nullptr, kLanes));
}

// The same for the transpose [k, n]. A pair of bf16 moves like one float.
inline void round_transposed_panel(const float* panels, int64_t n, int64_t k, int64_t panel, void* out) {
    const int64_t first = panel * kBf16Width, valid = k - first < kBf16Width ? k - first : kBf16Width,
                  width = padded_columns(valid);
    float* dst = static_cast<float*>(out);
    for (int64_t column = 0; column < n; column += kLanes) {
        const int64_t begin = column / kPanelWidth * kPanelWidth,
                      source_width = padded_columns(n - begin < kPanelWidth ? n - begin : kPanelWidth);
        const float* source = panels + begin * k + first * source_width + (column - begin);
        const int64_t pairs = pairs_of(n - column < kLanes ? n - column : kLanes);
        for (int64_t i = 0; i < width; i += kLanes) {
            VecF rows[kLanes], pairs_of_rows[kLanes];
            for (int64_t lane = 0; lane < kLanes; lane++) {
                if (i + lane >= valid) {
                    rows[lane] = zero();
                    continue;
                }
                const VecF x = _mm512_maskz_loadu_ps(lanes_below(n - column),
                                                     source + (i + lane) * source_width);
                rows[lane] = _mm512_castsi512_ps(
                    _mm512_zextsi256_si512(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x))));
            }
            transpose(rows, reinterpret_cast<float*>(pairs_of_rows), kLanes);
            for (int64_t pair = 0; pair < pairs; pair++)
                store(dst + (column / 2 + pair) * width + i, pairs_of_rows[pair]);
        }
    }
}
