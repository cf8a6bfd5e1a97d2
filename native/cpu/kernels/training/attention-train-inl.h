// attention-inl.h as training runs it: each row's log-sum-exp is kept for the backward, and dropout falls on
// the probabilities, after the sum that they are divided by.

template <int R>
void attend_train(const AttentionTrainArgs& args, const AttentionScratch& scratch, int64_t begin) {
    const AttentionArgs& forward = args.forward;
    const int64_t padded = padded_columns(forward.seq_len);
    const DropoutFactors dropout(args.dropout);
    VecF totals[R];
    const bool powers = score_rows<R>(forward, scratch, begin, totals);
    float inverse[R];
    for (int r = 0; r < R; r++) {
        const int64_t query = begin + r;
        float* scores = scratch.scores + r * padded;
        float lse = 0.0f, total = 0.0f;
        if (powers) {
            total = sum(totals[r]);
            lse = __builtin_log2f(total);
        } else {
            total = softmax_row(forward, scores, query, &lse);
        }
        inverse[r] = 1.0f / total;
        args.row_lse[query * args.lse_stride] = lse;
        if (args.dropout.threshold > 0)
            drop_columns(dropout, args.first_row + static_cast<uint32_t>(query), 0, forward.seq_len, scores,
                         nullptr, scores);
    }
    context_rows<R>(forward, scratch, begin, inverse);
}

template <int... R>
inline void attend_train_rows(int64_t rows, const AttentionTrainArgs& args, const AttentionScratch& scratch,
                              int64_t begin, std::integer_sequence<int, R...>) {
    using Function = void (*)(const AttentionTrainArgs&, const AttentionScratch&, int64_t);
    constexpr Function functions[] = {&attend_train<R + 1>...};
    functions[rows - 1](args, scratch, begin);
}

inline void attention_train(const AttentionTrainArgs& args) {
    const int64_t seq_len = args.forward.seq_len, tiles = (seq_len + kTileRows - 1) / kTileRows;
    const AttentionScratch scratch = pack_attention(args.forward);
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        attend_train_rows(rows, args, scratch, begin, std::make_integer_sequence<int, kTileRows>());
    }
}
