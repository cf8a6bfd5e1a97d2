// Rows of a head as the panels that gemm-inl.h's tiles multiply with.

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

// Calls function(first column, columns, integral_constant<int, vectors>) for panels of V vectors.
template <int V, typename Function>
inline void for_panels(int64_t columns, const Function& function) {
    for (int64_t first = 0; first < columns; first += V * kLanes) {
        const int64_t width = columns - first < V * kLanes ? columns - first : V * kLanes;
        with_vectors<V>((width + kLanes - 1) / kLanes,
                        [&](auto vectors) { function(first, width, vectors); });
    }
}
