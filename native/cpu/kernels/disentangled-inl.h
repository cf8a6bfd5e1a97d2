// Disentangled scores (DeBERTa, relative keys): what queries and keys make of the rows of their distance. Of
// the two tables only the rows that a sequence reaches are multiplied: [keys, rows] once for all queries,
// [queries, rows] a tile at a time, and each score looks up one number of either.

struct PositionReach {
    int64_t first, count;  // rows of the tables
    int64_t stride() const { return padded_columns(count); }
};

// Rows fall with the distance, or rise where an attention is seen from its keys.
inline PositionReach reach_of(const AttentionArgs& args) {
    if (args.position_rows == nullptr || args.seq_len == 0) return {0, 0};
    const int64_t a = args.position_rows[0], b = args.position_rows[2 * args.seq_len - 2];
    return a < b ? PositionReach{a, b - a + 1} : PositionReach{b, a - b + 1};
}

struct PositionScratch {
    float* content;      // [head_dim][reach], in panels
    float* position;     // likewise
    float* query_terms;  // [kTileRows][reach]
    float* key_terms;    // [seq_len][reach]
};

template <typename Part>
PositionScratch position_parts(const AttentionArgs& args, const Part& part) {
    const int64_t reach = reach_of(args).stride();
    PositionScratch scratch{};
    scratch.content = part(args.head_dim * reach);
    scratch.position = part(args.head_dim * reach);
    scratch.query_terms = part(kTileRows * reach);
    scratch.key_terms = part(args.seq_len * reach);
    return scratch;
}

// output [rows, n] = (+= where `adds`) x [rows, k] · panels [k][n]
inline void multiply_by_panels(const float* x, int64_t stride, int64_t rows, const float* panels, int64_t n,
                               int64_t k, float* output, int64_t output_stride, bool adds = false) {
    LinearArgs args;
    args.input = x;
    args.input_stride = stride;
    args.matrix.panels = panels;
    args.matrix.panel_bytes = kPanelWidth * k * static_cast<int64_t>(sizeof(float));
    args.matrix.n = n;
    args.matrix.k = k;
    args.residual = adds ? output : nullptr;
    args.output = output;
    args.output_stride = output_stride;
    args.rows = rows;
    args.panel_end = (n + kPanelWidth - 1) / kPanelWidth;
    own_kernels().fp32.linear(args);
}

inline void pack_positions(const AttentionArgs& args, const PositionScratch& scratch) {
    const PositionReach reach = reach_of(args);
    const auto pack = [&](const float* table, float* panels) {
        pack_keys(table + reach.first * args.position_stride, args.position_stride, reach.count,
                  args.head_dim, panels);
    };
    if (args.content_to_position != nullptr) pack(args.content_to_position, scratch.content);
    if (args.position_to_content == nullptr) return;
    pack(args.position_to_content, scratch.position);
    multiply_by_panels(args.key, args.key_stride, args.seq_len, scratch.position, reach.count, args.head_dim,
                       scratch.key_terms, reach.stride());
}

// Adds the terms of a tile's queries and of the keys that it meets to their products [queries,
// keys.stride()].
// In a function of its own: inlined, its product took registers from attention without positions, a fifth of
// whose time that cost (g++ 12, AVX-512).
__attribute__((noinline)) inline void add_position_terms(const AttentionArgs& args,
                                                         const PositionScratch& scratch, const TileKeys& keys,
                                                         KeyRange queries, float* scores) {
    const PositionReach reach = reach_of(args);
    const int64_t stride = reach.stride(), first_key = keys.panels.begin;
    if (args.content_to_position != nullptr)
        multiply_by_panels(args.query + queries.begin * args.query_stride, args.query_stride, queries.count(),
                           scratch.content, reach.count, args.head_dim, scratch.query_terms, stride);
    for (int64_t query = queries.begin; query < queries.end; query++, scores += keys.stride()) {
        const int32_t* rows = args.position_rows + args.seq_len - 1 - query;
        if (args.content_to_position != nullptr) {
            const float* terms = scratch.query_terms + (query - queries.begin) * stride - reach.first;
            for (int64_t key = keys.seen.begin; key < keys.seen.end; key++)
                scores[key - first_key] += terms[rows[key]];
        }
        if (args.position_to_content != nullptr) {
            const float* terms = scratch.key_terms - reach.first;
            for (int64_t key = keys.seen.begin; key < keys.seen.end; key++)
                scores[key - first_key] += terms[key * stride + rows[key]];
        }
    }
}
