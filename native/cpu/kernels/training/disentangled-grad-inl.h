// The backward of disentangled-inl.h. With T = X · tableᵀ [rows of X, reach], of which each score looks up
// one number, dT adds up the gradients of the scores that looked it up; dX += dT · table and dtable += dTᵀ ·
// X.

struct PositionGradScratch {
    float* query_terms;  // [seq_len][reach]: dT of queries
    float* key_terms;    // likewise of keys
    float* transposed;   // [reach][seq_len]
    float* panels;       // of the table's rows, then of X's
};

template <typename Part>
PositionGradScratch position_grad_parts(const AttentionArgs& args, const Part& part) {
    const PositionReach reach = reach_of(args);
    const int64_t terms = args.seq_len * reach.stride();
    PositionGradScratch scratch{};
    scratch.query_terms = part(terms);
    scratch.key_terms = part(terms);
    scratch.transposed = part(args.seq_len * reach.count);
    const int64_t rows = reach.count > args.seq_len ? reach.count : args.seq_len;
    scratch.panels = part(reach.count == 0 ? 0 : rows * padded_columns(args.head_dim));
    return scratch;
}

inline void clear_position_grads(const AttentionArgs& args, const PositionGradScratch& scratch) {
    const int64_t terms = args.seq_len * reach_of(args).stride();
    for (float* grads : {scratch.query_terms, scratch.key_terms})
        for (int64_t i = 0; i < terms; i++) grads[i] = 0.0f;
}

// Adds a tile's dS, times the scale of the scores, to what they looked up.
inline void spread_score_grads(const AttentionGradArgs& args, const PositionGradScratch& scratch,
                               const TileKeys& keys, KeyRange queries, const float* score_grads) {
    const AttentionArgs& forward = args.forward;
    const PositionReach reach = reach_of(forward);
    const int64_t stride = reach.stride(), first_key = keys.panels.begin;
    for (int64_t query = queries.begin; query < queries.end; query++, score_grads += keys.stride()) {
        const int32_t* rows = forward.position_rows + forward.seq_len - 1 - query;
        float* of_query = scratch.query_terms + query * stride - reach.first;
        float* of_keys = scratch.key_terms - reach.first;
        for (int64_t key = keys.seen.begin; key < keys.seen.end; key++) {
            const float grad = score_grads[key - first_key] * forward.softmax_scale;
            of_query[rows[key]] += grad;
            of_keys[key * stride + rows[key]] += grad;
        }
    }
}

// dX += dT · table, dtable (unless null) += dTᵀ · X.
inline void add_term_grads(const AttentionArgs& args, const PositionGradScratch& scratch, const float* grads,
                           const float* x, int64_t x_stride, const float* table, float* grad_x,
                           int64_t grad_stride, float* grad_table) {
    const PositionReach reach = reach_of(args);
    const int64_t seq_len = args.seq_len, head_dim = args.head_dim;
    pack_values(table + reach.first * args.position_stride, args.position_stride, reach.count, head_dim,
                scratch.panels);
    multiply_by_panels(grads, reach.stride(), seq_len, scratch.panels, head_dim, reach.count, grad_x,
                       grad_stride, true);
    if (grad_table == nullptr) return;
    for (int64_t row = 0; row < seq_len; row++)
        for (int64_t i = 0; i < reach.count; i++)
            scratch.transposed[i * seq_len + row] = grads[row * reach.stride() + i];
    pack_values(x, x_stride, seq_len, head_dim, scratch.panels);
    multiply_by_panels(scratch.transposed, seq_len, reach.count, scratch.panels, head_dim, seq_len,
                       grad_table + reach.first * head_dim, head_dim, true);
}

inline void add_position_grads(const AttentionGradArgs& args, const PositionGradScratch& scratch) {
    const AttentionArgs& forward = args.forward;
    if (forward.content_to_position != nullptr)
        add_term_grads(forward, scratch, scratch.query_terms, forward.query, forward.query_stride,
                       forward.content_to_position, args.grad_query, args.grad_stride,
                       args.grad_content_to_position);
    if (forward.position_to_content != nullptr)
        add_term_grads(forward, scratch, scratch.key_terms, forward.key, forward.key_stride,
                       forward.position_to_content, args.grad_key, args.grad_stride,
                       args.grad_position_to_content);
}
