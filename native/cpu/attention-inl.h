// softmax(q kᵀ · scale) v for one head of one sequence, with no padding and no mask.
//
// Keys are packed like a weight (columns = keys) and values as panels [keys][head_dim], so that both products
// run on the tiles of gemm-inl.h. A tile of query rows meets all keys at once: its scores stay in L1 (8 rows
// x 512 keys = 16 KB), the row maximum and sum are exact, and nothing is rescaled. The division by the row
// sum happens on the short output row.

struct AttentionScratch {
    float* keys;    // [head_dim][padded seq_len], in panels
    float* values;  // [seq_len][padded head_dim], in panels
    float* scores;  // [kTileRows][padded seq_len]
};

inline int64_t attention_scratch_floats(int64_t seq_len, int64_t head_dim, AttentionScratch* parts,
                                        float* base) {
    const int64_t keys = padded_columns(seq_len) * head_dim;
    const int64_t values = padded_columns(head_dim) * seq_len;
    const int64_t scores = kTileRows * padded_columns(seq_len);
    if (parts != nullptr) {
        parts->keys = base;
        parts->values = base + (keys + 15) / 16 * 16;
        parts->scores = parts->values + (values + 15) / 16 * 16;
    }
    return (keys + 15) / 16 * 16 + (values + 15) / 16 * 16 + scores;
}

inline int64_t attention_scratch(int64_t seq_len, int64_t head_dim) {
    return attention_scratch_floats(seq_len, head_dim, nullptr, nullptr);
}

inline void pack_keys(const float* k, int64_t stride, int64_t seq_len, int64_t head_dim, float* dst) {
    for (int64_t first = 0; first < seq_len; first += kPanelWidth) {
        const int64_t valid = seq_len - first < kPanelWidth ? seq_len - first : kPanelWidth;
        const int64_t width = padded_columns(valid);
        float* panel = dst + first * head_dim;
        for (int64_t key = 0; key < width; key += kLanes) {
            const float* rows = k + (first + key) * stride;
            int64_t i = 0;
            if (key + kLanes <= valid)
                for (; i + kLanes <= head_dim; i += kLanes)
                    transpose(rows + i, stride, panel + i * width + key, width);
            for (; i < head_dim; i++)
                for (int64_t lane = 0; lane < kLanes; lane++)
                    panel[i * width + key + lane] = key + lane < valid ? rows[lane * stride + i] : 0.0f;
        }
    }
}

inline void pack_values(const float* v, int64_t stride, int64_t seq_len, int64_t head_dim, float* dst) {
    for (int64_t first = 0; first < head_dim; first += kPanelWidth) {
        const int64_t valid = head_dim - first < kPanelWidth ? head_dim - first : kPanelWidth;
        const int64_t width = padded_columns(valid);
        float* panel = dst + first * seq_len;
        for (int64_t row = 0; row < seq_len; row++) {
            for (int64_t column = 0; column < width; column += kLanes) {
                const float* source = v + row * stride + first + column;
                store(panel + row * width + column,
                      column + kLanes <= valid ? load(source) : load_first(source, valid - column));
            }
        }
    }
}

// scores[0..n) -> 2^(log2(e) · scale · (score - max)); returns the sum.
inline float exponentiate(float* scores, int64_t n, float scale) {
    VecF top = set(-3.4e38f);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) top = max(top, load(scores + i));
    if (i < n) top = max(top, keep_first_or(load_first(scores + i, n - i), n - i, top));
    const float factor = scale * kLog2E;
    // Distances to the peak first: of logits of 1e4, the product alone would be rounded by 1e-3.
    const VecF factors = set(factor), peak = set(largest(top));
    VecF total = zero();
    for (i = 0; i + kLanes <= n; i += kLanes) {
        const VecF e = exp2_clamped(mul(sub(load(scores + i), peak), factors));
        store(scores + i, e);
        total = add(total, e);
    }
    if (i < n) {
        const VecF e = keep_first(exp2_clamped(mul(sub(load_first(scores + i, n - i), peak), factors)),
                                  n - i);
        store_first(scores + i, e, n - i);
        total = add(total, e);
    }
    return sum(total);
}

// Adds the biases to one query row's scores, if there are any; returns what scales the result.
inline float add_relative_bias(const AttentionArgs& args, float* scores, int64_t query) {
    if (args.relative_bias == nullptr) return args.softmax_scale;
    const float* bias = args.relative_bias + args.seq_len - 1 - query;
    for (int64_t key = 0; key < args.seq_len; key++)
        scores[key] = scores[key] * args.softmax_scale + bias[key];
    return 1.0f;
}

// Turns one query row's scores into unnormalised probabilities and returns their sum; the exact ones go to
// args.scores if wanted.
inline float softmax_row(const AttentionArgs& args, float* scores, int64_t query) {
    const int64_t seq_len = args.seq_len;
    const float scale = add_relative_bias(args, scores, query);
    const float total = exponentiate(scores, seq_len, scale);
    if (args.scores != nullptr) {
        float* probabilities = args.scores + query * seq_len;
        for (int64_t key = 0; key < seq_len; key++) probabilities[key] = scores[key] / total;
    }
    return total;
}

inline void scale_rows(float* x, int64_t stride, int64_t rows, int64_t width, const float* factors) {
    for (int64_t row = 0; row < rows; row++, x += stride) {
        const VecF factor = set(factors[row]);
        int64_t i = 0;
        for (; i + kLanes <= width; i += kLanes) store(x + i, mul(load(x + i), factor));
        if (i < width) store_first(x + i, mul(load_first(x + i, width - i), factor), width - i);
    }
}

inline void attention(const AttentionArgs& args) {
    const int64_t seq_len = args.seq_len, head_dim = args.head_dim, stride = 3 * args.hidden_size;
    AttentionScratch scratch;
    attention_scratch_floats(seq_len, head_dim, &scratch, args.scratch);
    pack_keys(args.qkv + args.hidden_size, stride, seq_len, head_dim, scratch.keys);
    pack_values(args.qkv + 2 * args.hidden_size, stride, seq_len, head_dim, scratch.values);
    const int64_t padded = padded_columns(seq_len);
    const int64_t tiles = (seq_len + kTileRows - 1) / kTileRows;
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        LinearArgs qk;
        qk.input = args.qkv + begin * stride;
        qk.input_stride = stride;
        qk.matrix = {scratch.keys, 0, seq_len, head_dim};
        qk.output = scratch.scores;
        qk.output_stride = padded;
        qk.rows = rows;
        qk.panel_end = (seq_len + kPanelWidth - 1) / kPanelWidth;
        gemm<float>(qk);
        float inverse[kTileRows];
        for (int64_t row = 0; row < rows; row++)
            inverse[row] = 1.0f / softmax_row(args, scratch.scores + row * padded, begin + row);
        LinearArgs pv;
        pv.input = scratch.scores;
        pv.input_stride = padded;
        pv.matrix = {scratch.values, 0, head_dim, seq_len};
        pv.output = args.context + begin * args.hidden_size;
        pv.output_stride = args.hidden_size;
        pv.rows = rows;
        pv.panel_end = (head_dim + kPanelWidth - 1) / kPanelWidth;
        gemm<float>(pv);
        scale_rows(pv.output, args.hidden_size, rows, head_dim, inverse);
    }
}
