// Row-wise ops: embedding lookup, LayerNorm, pooling, L2 normalisation, top-k. They are 1-3 % of a forward;
// each row is read from L1.

// The sum of term(i, n) over the vectors of a row, n of whose lanes count; four sums, so that no addition
// waits for the one before it.
template <typename Term>
inline float sum_of_row(int64_t width, const Term& term) {
    VecF sums[4] = {zero(), zero(), zero(), zero()};
    int64_t i = 0;
    for (; i + 4 * kLanes <= width; i += 4 * kLanes)
        for (int j = 0; j < 4; j++) sums[j] = add(sums[j], term(i + j * kLanes, kLanes));
    for (; i + kLanes <= width; i += kLanes) sums[0] = add(sums[0], term(i, kLanes));
    if (i < width) sums[1] = add(sums[1], keep_first(term(i, width - i), width - i));
    return sum(add(add(sums[0], sums[1]), add(sums[2], sums[3])));
}

inline VecF load_lanes(const float* p, int64_t n) { return n >= kLanes ? load(p) : load_first(p, n); }

inline void store_lanes(float* p, VecF x, int64_t n) {
    if (n >= kLanes) {
        store(p, x);
    } else {
        store_first(p, x, n);
    }
}

// Subtracting the mean, then the mean of what is left, then squaring keeps 1e-6 even at mean 1e4 and
// deviation 0.02, where the rounding of a single mean costs 1e-2.
void layer_norm(const float* x, const float* weight, const float* bias, float* out, int64_t rows,
                int64_t width, float eps) {
    const float inverse_width = 1.0f / static_cast<float>(width);
    for (int64_t row = 0; row < rows; row++, x += width, out += width) {
        const VecF mean = set(sum_of_row(width, [&](int64_t i, int64_t n) { return load_lanes(x + i, n); }) *
                              inverse_width);
        const VecF rest = set(sum_of_row(width,
                                         [&](int64_t i, int64_t n) {
                                             const VecF d = sub(load_lanes(x + i, n), mean);
                                             store_lanes(out + i, d, n);
                                             return d;
                                         }) *
                              inverse_width);
        const float squares = sum_of_row(width, [&](int64_t i, int64_t n) {
            const VecF d = sub(load_lanes(out + i, n), rest);
            return mul(d, d);
        });
        const VecF scale = set(1.0f / __builtin_sqrtf(squares * inverse_width + eps));
        for (int64_t i = 0; i < width; i += kLanes) {
            const int64_t n = width - i;
            const VecF d = mul(sub(load_lanes(out + i, n), rest), scale);
            const VecF w = load_lanes(weight + i, n);
            store_lanes(out + i, bias != nullptr ? fma(d, w, load_lanes(bias + i, n)) : mul(d, w), n);
        }
    }
}

void embed(const EmbedArgs& args) {
    const int64_t width = args.width;
    const VecF scale = set(args.scale);
    for (int64_t row = 0; row < args.rows; row++) {
        float* output = args.output + row * width;
        const float* word = args.word != nullptr ? args.word + args.ids[row] * width : output;
        const float* position = args.position != nullptr
                                    ? args.position + (args.positions[row] + args.position_offset) * width
                                    : nullptr;
        const int64_t type_id = args.type_ids != nullptr ? args.type_ids[row] : 0;
        const float* type = args.type != nullptr ? args.type + type_id * width : nullptr;
        for (int64_t i = 0; i < width; i += kLanes) {
            const int64_t n = width - i;
            if (n >= kLanes) {
                VecF x = mul(load(word + i), scale);
                if (type != nullptr) x = add(x, load(type + i));
                if (position != nullptr) x = add(x, load(position + i));
                store(output + i, x);
            } else {
                VecF x = mul(load_first(word + i, n), scale);
                if (type != nullptr) x = add(x, load_first(type + i, n));
                if (position != nullptr) x = add(x, load_first(position + i, n));
                store_first(output + i, x, n);
            }
        }
    }
}

inline void copy_row(const float* from, float* to, int64_t width) {
    __builtin_memcpy(to, from, static_cast<size_t>(width) * sizeof(float));
}

// Sums run over the tokens in order, column by column. With every token skipped the result is zero, never
// NaN, and cls is the first token all the same.
void pool(const PoolArgs& args) {
    const int64_t width = args.width, skip = args.skip < args.seq_len ? args.skip : args.seq_len;
    const bool empty = skip == args.seq_len;
    if (args.mode == PoolMode::kCls)
        return copy_row(args.input + (empty ? 0 : skip * width), args.output, width);
    for (int64_t i = 0; empty && i < width; i++) args.output[i] = 0.0f;
    if (empty) return;
    if (args.mode == PoolMode::kLastToken)
        return copy_row(args.input + (args.seq_len - 1) * width, args.output, width);
    const int64_t count = args.seq_len - skip;
    float divisor = static_cast<float>(count);
    if (args.mode == PoolMode::kMeanSqrtLen) divisor = __builtin_sqrtf(divisor);
    if (args.mode == PoolMode::kWeightedMean) {
        divisor = 0.0f;
        for (int64_t row = skip; row < args.seq_len; row++) divisor += static_cast<float>(row + 1);
    }
    for (int64_t i = 0; i < width; i += kLanes) {
        const int64_t n = width - i;
        const bool whole = n >= kLanes;
        const float* x = args.input + skip * width + i;
        VecF total = args.mode == PoolMode::kMax ? set(-3.4e38f) : zero();
        for (int64_t row = skip; row < args.seq_len; row++, x += width) {
            const VecF value = whole ? load(x) : load_first(x, n);
            if (args.mode == PoolMode::kMax) {
                total = max(total, value);
            } else if (args.mode == PoolMode::kWeightedMean) {
                total = fma(value, set(static_cast<float>(row + 1)), total);
            } else {
                total = add(total, value);
            }
        }
        if (args.mode != PoolMode::kMax) total = div(total, set(divisor));
        if (whole) {
            store(args.output + i, total);
        } else {
            store_first(args.output + i, total, n);
        }
    }
}

void normalize(const float* x, float* out, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; row++, x += width, out += width) {
        VecF squares = zero();
        int64_t i = 0;
        for (; i + kLanes <= width; i += kLanes) squares = fma(load(x + i), load(x + i), squares);
        if (i < width) squares = fma(load_first(x + i, width - i), load_first(x + i, width - i), squares);
        const float norm = __builtin_sqrtf(sum(squares));
        const VecF divisor = set(norm > 1e-12f ? norm : 1e-12f);
        for (i = 0; i + kLanes <= width; i += kLanes) store(out + i, div(load(x + i), divisor));
        if (i < width) store_first(out + i, div(load_first(x + i, width - i), divisor), width - i);
    }
}

inline float log_sum_exp(const float* x, int64_t n) {
    VecF top = set(-3.4e38f);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) top = max(top, load(x + i));
    if (i < n) top = max(top, keep_first_or(load_first(x + i, n - i), n - i, top));
    const float peak = largest(top);
    const VecF offset = set(peak), factor = set(kLog2E);
    VecF total = zero();
    for (i = 0; i + kLanes <= n; i += kLanes)
        total = add(total, exp2_clamped(mul(sub(load(x + i), offset), factor)));
    if (i < n)
        total = add(total,
                    keep_first(exp2_clamped(mul(sub(load_first(x + i, n - i), offset), factor)), n - i));
    return peak + __builtin_logf(sum(total));
}

// The k best so far stay sorted in the output row; most columns fail the one comparison with the worst of
// them.
void top_k(const float* x, float* out, int64_t rows, int64_t width, int64_t k) {
    for (int64_t row = 0; row < rows; row++, x += width, out += 1 + 2 * k) {
        out[0] = log_sum_exp(x, width);
        float* values = out + 1;
        float* columns = out + 1 + k;
        int64_t kept = 0;
        for (int64_t column = 0; column < width; column++) {
            const float value = x[column];
            if (kept == k && !(value > values[k - 1])) continue;
            int64_t place = kept < k ? kept++ : k - 1;
            for (; place > 0 && value > values[place - 1]; place--) {
                values[place] = values[place - 1];
                columns[place] = columns[place - 1];
            }
            values[place] = value;
            columns[place] = static_cast<float>(column);
        }
    }
}

void pick_targets(const float* x, const int32_t* targets, float* out, int64_t rows, int64_t width) {
    for (int64_t row = 0; row < rows; row++, x += width, targets += kTargetsPerRow) {
        *out++ = log_sum_exp(x, width);
        for (int32_t i = 0; i < kTargetsPerRow; i++) *out++ = x[targets[i]];
    }
}
