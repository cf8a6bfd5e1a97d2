// Gradients of the row-wise ops, and sums of rows.

// Sums of N terms over the vectors of a row, as sum_of_row makes one; two sums of each.
template <int N, typename Term>
inline void sums_of_row(int64_t width, const Term& term, float (&out)[N]) {
    VecF even[N], odd[N], terms[N];
    for (int k = 0; k < N; k++) even[k] = odd[k] = zero();
    int64_t i = 0;
    for (; i + 2 * kLanes <= width; i += 2 * kLanes) {
        term(i, kLanes, terms);
        for (int k = 0; k < N; k++) even[k] = add(even[k], terms[k]);
        term(i + kLanes, kLanes, terms);
        for (int k = 0; k < N; k++) odd[k] = add(odd[k], terms[k]);
    }
    for (; i < width; i += kLanes) {
        const int64_t n = width - i;
        term(i, n, terms);
        for (int k = 0; k < N; k++) even[k] = add(even[k], n >= kLanes ? terms[k] : keep_first(terms[k], n));
    }
    for (int k = 0; k < N; k++) out[k] = sum(add(even[k], odd[k]));
}

// With x̂ = (z - mean) / deviation, g = dy ∘ weight: dz = (g - mean(g) - x̂ mean(g ∘ x̂)) / deviation. The mean
// is taken in two parts, as in layer_norm. A row is read four times, from L1.
void layer_norm_grad(const LayerNormGradArgs& args) {
    const int64_t width = args.width;
    const float inverse_width = 1.0f / static_cast<float>(width);
    for (int64_t row = 0; row < args.rows; row++) {
        const float *z = args.input + row * width, *dy = args.grad_output + row * width;
        const float first = sum_of_row(width, [&](int64_t i, int64_t n) { return load_lanes(z + i, n); }) *
                            inverse_width;
        const VecF mean = set(first);
        const float second = sum_of_row(width, [&](int64_t i,
                                                   int64_t n) { return sub(load_lanes(z + i, n), mean); }) *
                             inverse_width;
        const VecF rest = set(second);
        float sums[3];  // of d², g, g d with d = z - mean
        sums_of_row<3>(
            width,
            [&](int64_t i, int64_t n, VecF(&terms)[3]) {
                const VecF d = sub(sub(load_lanes(z + i, n), mean), rest);
                const VecF g = mul(load_lanes(dy + i, n), load_lanes(args.weight + i, n));
                terms[0] = mul(d, d);
                terms[1] = g;
                terms[2] = mul(g, d);
            },
            sums);
        const float inverse = 1.0f / __builtin_sqrtf(sums[0] * inverse_width + args.eps);
        float* stats = args.stats + row * kNormStats;
        stats[0] = first;
        stats[1] = second;
        stats[2] = inverse;
        if (args.grad_input == nullptr) continue;
        const VecF scale = set(inverse), mean_g = set(sums[1] * inverse_width),
                   along = set(sums[2] * inverse_width * inverse);
        const float* residual = args.residual != nullptr ? args.residual + row * width : nullptr;
        float* out = args.grad_input + row * width;
        for (int64_t i = 0; i < width; i += kLanes) {
            const int64_t n = width - i;
            const VecF x = mul(sub(sub(load_lanes(z + i, n), mean), rest), scale);
            const VecF g = mul(load_lanes(dy + i, n), load_lanes(args.weight + i, n));
            VecF y = mul(sub(sub(g, mean_g), mul(x, along)), scale);
            if (residual != nullptr) y = add(y, load_lanes(residual + i, n));
            store_lanes(out + i, y, n);
        }
    }
}

// Calls term(row, column, n, sums) for all rows of each vector of the columns begin .. end; it adds to N
// sums. They are made in blocks of kSumRows rows, and each block is added to `out`, those arrays that are not
// null.
constexpr int64_t kRunRows = 16;

template <int N, typename Term>
inline void sum_rows(int64_t rows, int64_t begin, int64_t end, float* const (&out)[N], const Term& term) {
    constexpr int kVectors = 4 * (kLanes > 8 ? 2 : 1) / N;  // sums stay in registers
    for (int64_t block = 0; block < rows; block += kSumRows) {
        const int64_t last = block + kSumRows < rows ? block + kSumRows : rows;
        for_panels<kVectors>(end - begin, [&](int64_t first, int64_t columns, auto vectors) {
            VecF sums[vectors][N];
            for (int v = 0; v < vectors; v++)
                for (int k = 0; k < N; k++) sums[v][k] = zero();
            // Short runs of rows, then their sums: a quarter of the rounding of one long run.
            for (int64_t run = block; run < last; run += kRunRows) {
                const int64_t end_of_run = run + kRunRows < last ? run + kRunRows : last;
                VecF parts[vectors][N];
                for (int v = 0; v < vectors; v++)
                    for (int k = 0; k < N; k++) parts[v][k] = zero();
                for (int64_t row = run; row < end_of_run; row++) {
                    for (int v = 0; v < vectors; v++)
                        term(row, begin + first + v * kLanes, columns - v * kLanes, parts[v]);
                }
                for (int v = 0; v < vectors; v++)
                    for (int k = 0; k < N; k++) sums[v][k] = add(sums[v][k], parts[v][k]);
            }
            for (int k = 0; k < N; k++) {
                for (int v = 0; out[k] != nullptr && v < vectors; v++) {
                    float* at = out[k] + begin + first + v * kLanes;
                    const int64_t n = columns - v * kLanes;
                    store_lanes(at, add(load_lanes(at, n), sums[v][k]), n);
                }
            }
        });
    }
}

void layer_norm_grad_weight(const LayerNormGradArgs& args, int64_t begin, int64_t end, float* grad_weight,
                            float* grad_bias) {
    const int64_t width = args.width;
    sum_rows<2>(args.rows, begin, end, {grad_weight, grad_bias},
                [&](int64_t row, int64_t column, int64_t n, VecF(&sums)[2]) {
                    const float* stats = args.stats + row * kNormStats;
                    const VecF z = load_lanes(args.input + row * width + column, n),
                               dy = load_lanes(args.grad_output + row * width + column, n),
                               d = sub(sub(z, set(stats[0])), set(stats[1]));
                    sums[0] = fma(dy, mul(d, set(stats[2])), sums[0]);
                    sums[1] = add(sums[1], dy);
                });
}

void add_rows(const float* x, const int32_t* order, int64_t count, int64_t width, float scale, float* out) {
    const VecF factor = set(scale);
    sum_rows<1>(count, 0, width, {out}, [&](int64_t i, int64_t column, int64_t n, VecF(&sums)[1]) {
        sums[0] = fma(load_lanes(x + order[i] * width + column, n), factor, sums[0]);
    });
}

void add_vectors(const float* a, const float* b, float* out, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes)
        store_lanes(out + i, add(load_lanes(a + i, count - i), load_lanes(b + i, count - i)), count - i);
}

// out (+)= factor · g, or 0 without g.
inline void put_row(const float* g, float factor, float* out, int64_t width, bool add_to) {
    if (g == nullptr && add_to) return;
    for (int64_t i = 0; i < width; i += kLanes) {
        const int64_t n = width - i;
        VecF y = g != nullptr ? mul(load_lanes(g + i, n), set(factor)) : zero();
        if (add_to) y = add(y, load_lanes(out + i, n));
        store_lanes(out + i, y, n);
    }
}

// The first of the largest of each column has the gradient.
inline void max_pool_grad(const PoolArgs& forward, int64_t skip, const float* g, float* out) {
    const int64_t width = forward.width;
    for (int64_t column = 0; column < width; column++) {
        int64_t best = skip;
        for (int64_t row = skip + 1; row < forward.seq_len; row++)
            if (forward.input[row * width + column] > forward.input[best * width + column]) best = row;
        out[best * width + column] += g[column];
    }
}

void pool_grad(const PoolArgs& forward, const float* grad_output, float* grad_input, bool add_to) {
    const int64_t rows = forward.seq_len, width = forward.width;
    const int64_t skip = forward.skip < rows ? forward.skip : rows;
    const bool empty = skip == rows;
    const int64_t count = rows - skip;
    float mean = 1.0f / static_cast<float>(count);
    if (forward.mode == PoolMode::kMeanSqrtLen) mean = 1.0f / __builtin_sqrtf(static_cast<float>(count));
    float total = 0.0f;
    for (int64_t row = skip; row < rows; row++) total += static_cast<float>(row + 1);
    for (int64_t row = 0; row < rows; row++) {
        const float* g = empty || row < skip ? nullptr : grad_output;
        float factor = mean;
        switch (forward.mode) {
            case PoolMode::kCls:
                g = row == (empty ? 0 : skip) ? grad_output : nullptr;
                factor = 1.0f;
                break;
            case PoolMode::kLastToken:
                if (row < rows - 1) g = nullptr;
                factor = 1.0f;
                break;
            case PoolMode::kMax: g = nullptr; break;
            case PoolMode::kWeightedMean: factor = static_cast<float>(row + 1) / total; break;
            case PoolMode::kMean:
            case PoolMode::kMeanSqrtLen: break;
        }
        put_row(g, factor, grad_input + row * width, width, add_to);
    }
    if (forward.mode == PoolMode::kMax && !empty) max_pool_grad(forward, skip, grad_output, grad_input);
}

// y = x / |x|: dx = (dy - y (y · dy)) / |x|. A length below 1e-12 is a constant.
void normalize_grad(const float* input, const float* grad_output, float* grad_input, int64_t rows,
                    int64_t width) {
    for (int64_t row = 0; row < rows; row++, input += width, grad_output += width, grad_input += width) {
        const float norm = __builtin_sqrtf(sum_of_row(width, [&](int64_t i, int64_t n) {
            const VecF x = load_lanes(input + i, n);
            return mul(x, x);
        }));
        const bool moves = norm > 1e-12f;
        const VecF inverse = set(1.0f / (moves ? norm : 1e-12f));
        const float along = sum_of_row(width, [&](int64_t i, int64_t n) {
            return mul(mul(load_lanes(input + i, n), inverse), load_lanes(grad_output + i, n));
        });
        const VecF part = set(moves ? along : 0.0f);
        for (int64_t i = 0; i < width; i += kLanes) {
            const int64_t n = width - i;
            const VecF y = mul(load_lanes(input + i, n), inverse);
            store_lanes(grad_input + i, mul(sub(load_lanes(grad_output + i, n), mul(y, part)), inverse), n);
        }
    }
}
