// int8 products: groups of neighbouring k, four in most formats, go through one dot product.
//
// It computes y = s_row · s_col · (Σ q_x q_w − zero_row · Σ q_w) + bias. Weights have one scale per output
// column, activations a scale and a zero point per row, so a row never depends on its batch-mates. The
// integer sums are exact: nothing saturates, in any order. Asymmetric activations halve the error against
// symmetric ones, because rows after GELU and [CLS] rows are one-sided.
//
// A format F says: kLevels (activations 0 .. kLevels), kLimit (weights -kLimit .. kLimit), kGroup (k a
// group), kGroups (groups a step), kRows x kVectors (the register tile), kDot (a dot product is one
// instruction), and dot(sum, x, w) on the step's activation bytes, broadcast to every column, and its weights
// of each column. With kOwnLoop it sums all steps of a tile itself. Activations are stored less kOffset by
// store_levels.

struct UnsignedLevels {
    static constexpr int32_t kOffset = 0;
    static void store_levels(uint8_t* p, VecI levels) { store_bytes(p, levels); }
};

template <typename F>
constexpr int64_t kStep = F::kGroup * F::kGroups;

template <typename F>
constexpr int64_t kDotWidth = F::kVectors * kLanes;

inline int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// Zero points and column sums are kept as two 16-bit numbers, so that their product is one instruction:
// (-zero, -128 zero) · (sum mod 128, sum / 128). A product of 32 bits takes several times as long.
constexpr int32_t kPairBase = 128;

inline int32_t as_pair(int32_t low, int32_t high) {
    return static_cast<int32_t>(static_cast<uint32_t>(low & 0xffff) | static_cast<uint32_t>(high) << 16);
}

// A panel: [width] column scales, [width] column sums (pairs), then [k / kGroup][width][kGroup] weights.
template <typename F>
int64_t int8_panel_bytes(int64_t, int64_t k) {
    return kDotWidth<F> * (8 + round_up(k, kStep<F>));
}

// A row: scale (float), kOffset minus the zero point (a pair), padding to 16 bytes, then k bytes padded to
// whole steps.
constexpr int64_t kRowHeader = 16;

template <typename F>
int64_t int8_row_bytes(int64_t k) {
    return round_up(kRowHeader + round_up(k, kStep<F>), 16) + 16;  // the last store of a row may run over
}

template <typename F>
void pack_int8_panel(const float* weight, int64_t rows, int64_t k, const float* input_scale, void* dst) {
    constexpr int64_t kWidth = kDotWidth<F>;
    float* scales = static_cast<float*>(dst);
    int32_t* sums = static_cast<int32_t*>(dst) + kWidth;
    int8_t* panel = static_cast<int8_t*>(dst) + 8 * kWidth;
    for (int64_t column = 0; column < kWidth; column++) {
        const float* row = weight + column * k;
        float largest_weight = 0.0f;
        for (int64_t i = 0; column < rows && i < k; i++) {
            const float w = __builtin_fabsf(row[i] * (input_scale != nullptr ? input_scale[i] : 1.0f));
            largest_weight = w > largest_weight ? w : largest_weight;
        }
        const float scale = largest_weight > 0.0f ? largest_weight / F::kLimit : 1.0f;
        int32_t total = 0;
        for (int64_t i = 0; i < round_up(k, kStep<F>); i++) {
            const float w = column < rows && i < k
                                ? row[i] * (input_scale != nullptr ? input_scale[i] : 1.0f) / scale
                                : 0.0f;
            const int32_t q = static_cast<int32_t>(__builtin_rintf(w));
            total += q;
            panel[i / F::kGroup * F::kGroup * kWidth + column * F::kGroup + i % F::kGroup] =
                static_cast<int8_t>(q);
        }
        scales[column] = scale;
        const int32_t high = total / kPairBase;
        sums[column] = as_pair(total - high * kPairBase, high);
    }
}

inline void scale_int8_panel(void* panel, const float* scales, int64_t columns) {
    float* own = static_cast<float*>(panel);
    for (int64_t column = 0; column < columns; column++) own[column] *= scales[column];
}

template <typename F, bool kScaled>
void quantize_rows_as(const float* x, int64_t stride, int64_t rows, int64_t k, const float* inverse_scale,
                      uint8_t* dst) {
    const int64_t row_bytes = int8_row_bytes<F>(k), whole = k / kLanes * kLanes;
    for (int64_t row = 0; row < rows; row++, x += stride, dst += row_bytes) {
        const auto at = [&](int64_t i) {
            return kScaled ? mul(load(x + i), load(inverse_scale + i)) : load(x + i);
        };
        const auto tail = [&] {
            const VecF value = load_first(x + whole, k - whole);
            return kScaled ? mul(value, load_first(inverse_scale + whole, k - whole)) : value;
        };
        // The range holds 0, so that the zero point is one of the levels. Four of each, so that none waits
        // for the one before it.
        VecF low[4] = {zero(), zero(), zero(), zero()}, high[4] = {zero(), zero(), zero(), zero()};
        const auto widen = [&](int j, VecF value) {
            low[j] = min(low[j], value);
            high[j] = max(high[j], value);
        };
        int64_t i = 0;
        for (; i + 4 * kLanes <= k; i += 4 * kLanes)
            for (int j = 0; j < 4; j++) widen(j, at(i + j * kLanes));
        for (; i < whole; i += kLanes) widen(0, at(i));
        if (i < k) widen(1, tail());
        const float bottom = -largest(sub(zero(), min(min(low[0], low[1]), min(low[2], low[3])))),
                    top = largest(max(max(high[0], high[1]), max(high[2], high[3])));
        const float range = top - bottom;
        const float scale = range > 0.0f ? range / F::kLevels : 1.0f, inverse = 1.0f / scale;
        const int32_t zero_point = static_cast<int32_t>(__builtin_rintf(-bottom * inverse));
        const int32_t shift = F::kOffset - zero_point, shift_pair = as_pair(shift, shift * kPairBase);
        __builtin_memcpy(dst, &scale, 4);
        __builtin_memcpy(dst + 4, &shift_pair, 4);
        const VecF factor = set(inverse);
        const VecI offset = set_int(zero_point), limit = set_int(F::kLevels);
        uint8_t* bytes = dst + kRowHeader;
        const auto quantize = [&](int64_t from, VecF value) {
            const VecI level = add_int(round_to_int(mul(value, factor)), offset);
            F::store_levels(bytes + from, F::kLevels < 255 ? min_int(level, limit) : level);
        };
        for (i = 0; i < whole; i += kLanes) quantize(i, at(i));
        if (i < k) quantize(i, tail());
        for (i = k; i < round_up(k, kStep<F>); i++) bytes[i] = 0;
    }
}

template <typename F>
void quantize_rows(const float* x, int64_t stride, int64_t rows, int64_t k, const float* inverse_scale,
                   uint8_t* dst) {
    if (inverse_scale != nullptr) return quantize_rows_as<F, true>(x, stride, rows, k, inverse_scale, dst);
    quantize_rows_as<F, false>(x, stride, rows, k, nullptr, dst);
}

template <typename F, int R, bool kPrefetch>
inline void int8_tile(const LinearArgs& args, int64_t first_row, int64_t panel_index) {
    constexpr int V = F::kVectors;
    constexpr int64_t kWidth = kDotWidth<F>;
    const int64_t k = args.matrix.k, row_bytes = int8_row_bytes<F>(k),
                  steps = round_up(k, kStep<F>) / kStep<F>;
    const auto* panel = static_cast<const uint8_t*>(args.matrix.panels) +
                        panel_index * args.matrix.panel_bytes;
    const auto* weights = reinterpret_cast<const int8_t*>(panel + 8 * kWidth);
    const uint8_t* row0 = args.prepared + first_row * row_bytes + kRowHeader;
    // (kOffset - zero_row) * colsum: where a dot product is one instruction it is what the sums start at,
    // which overlaps with the loop; else g++ 12 loses 5 % by that.
    const auto offset = [&](int r, VecI column_sum) {
        int32_t shift;
        __builtin_memcpy(&shift, row0 + r * row_bytes - kRowHeader + 4, 4);
        return dot_pairs(set_int(shift), column_sum);
    };
    const int64_t ahead = args.rows <= F::kRows ? kFetchAhead : args.matrix.panel_bytes;
    VecI sums[R][V];
    for (int v = 0; v < V; v++) {
        const VecI column_sum = load_int(panel + 4 * kWidth + v * kLanes * 4);
        for (int r = 0; r < R; r++) sums[r][v] = F::kDot ? offset(r, column_sum) : zero_int();
    }
    const int64_t column = panel_index * kWidth, first = first_row * args.output_stride + column;
    const uint8_t* inputs = row0;
    if constexpr (F::kOwnLoop) {
        F::template multiply<R, kPrefetch>(inputs, row_bytes, weights, steps, ahead, sums);
    } else {
        BERTHA_NO_UNROLL
        for (int64_t step = 0; step < steps; step++) {
            typename F::Weights w[V];
            for (int v = 0; v < V; v++)
                w[v] = F::load_weights(weights + v * kLanes * F::kGroup, kWidth * F::kGroup);
            if (kPrefetch)
                for (int64_t line = 0; line < kWidth * kStep<F>; line += 64) prefetch(weights + ahead + line);
            for (int r = 0; r < R; r++) {
                const typename F::Inputs x = F::load_inputs(inputs + r * row_bytes);
                for (int v = 0; v < V; v++) sums[r][v] = F::dot(sums[r][v], x, w[v]);
            }
            weights += kWidth * kStep<F>;
            inputs += kStep<F>;
        }
    }
    // Columns outside, so that what belongs to a column is read once.
    const float* scales = reinterpret_cast<const float*>(panel);
    BERTHA_UNROLL
    for (int v = 0; v < V; v++) {
        const int64_t left = args.matrix.n - column - v * kLanes;
        if (left <= 0) continue;
        const VecF scale = load(scales + v * kLanes);
        const VecI column_sum = load_int(panel + 4 * kWidth + v * kLanes * 4);
        const VecF bias = args.bias != nullptr ? load(args.bias + column + v * kLanes) : zero();
        BERTHA_UNROLL
        for (int r = 0; r < R; r++) {
            float row_scale;
            __builtin_memcpy(&row_scale, row0 + r * row_bytes - kRowHeader, 4);
            const VecI sum = F::kDot ? sums[r][v] : add_int(sums[r][v], offset(r, column_sum));
            VecF y = fma(to_float(sum), mul(scale, set(row_scale)), bias);
            const int64_t at = first + r * args.output_stride + v * kLanes;
            if (left >= kLanes) {
                if (args.residual != nullptr) y = add(y, load(args.residual + at));
                store(args.output + at, y);
            } else {
                if (args.residual != nullptr) y = add(y, load_first(args.residual + at, left));
                store_first(args.output + at, y, left);
            }
        }
    }
}

template <typename F, bool kPrefetch, int... R>
inline void run_int8_tile(int64_t rows, const LinearArgs& args, int64_t first_row, int64_t panel,
                          std::integer_sequence<int, R...>) {
    using Function = void (*)(const LinearArgs&, int64_t, int64_t);
    constexpr Function functions[] = {&int8_tile<F, R + 1, kPrefetch>...};
    functions[rows - 1](args, first_row, panel);
}

template <typename F>
void int8_gemm(const LinearArgs& args) {
    constexpr auto kRowCounts = std::make_integer_sequence<int, F::kRows>();
    const int64_t tiles = (args.rows + F::kRows - 1) / F::kRows;
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel++) {
        for (int64_t t = 0; t < tiles; t++) {
            const int64_t begin = args.rows * t / tiles, rows = args.rows * (t + 1) / tiles - begin;
            if (t == tiles - 1) {  // earlier the next panel would push this one out of L1
                run_int8_tile<F, true>(rows, args, begin, panel, kRowCounts);
            } else {
                run_int8_tile<F, false>(rows, args, begin, panel, kRowCounts);
            }
        }
    }
}

template <typename F>
constexpr MatrixFormat int8_format(const char* precision) {
    return {precision,
            kDotWidth<F>,
            int8_panel_bytes<F>,
            pack_int8_panel<F>,
            int8_row_bytes<F>,
            quantize_rows<F>,
            linear<int8_gemm<F>, kDotWidth<F>, activate_rounded>,
            gated_linear<int8_gemm<F>, int8_row_bytes<F>, kDotWidth<F>, activate_rounded>,
            scale_int8_panel};
}
