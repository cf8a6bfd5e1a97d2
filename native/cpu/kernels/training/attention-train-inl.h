// attention-inl.h as training runs it: each row's log-sum-exp is kept for the backward, and dropout falls on
// the probabilities, after the sum that they are divided by.

template <int R>
void attend_train(const AttentionTrainArgs& args, const AttentionScratch& scratch, int64_t begin) {
    const AttentionArgs& forward = args.forward;
    const TileKeys keys = keys_of(forward, begin, R);
    const DropoutFactors dropout(args.dropout);
    VecF totals[R];
    const bool powers = score_rows<R>(forward, scratch, keys, begin, totals);
    float inverse[R];
    for (int r = 0; r < R; r++) {
        const int64_t query = begin + r;
        float* scores = scratch.scores + r * keys.stride();
        float lse = 0.0f;
        inverse[r] = 1.0f / finish_row(forward, keys, query, powers, totals[r], scores, &lse);
        args.row_lse[query * args.lse_stride] = lse;
        if (args.dropout.threshold > 0)
            drop_columns(dropout, args.first_row + static_cast<uint32_t>(query), keys.panels.begin,
                         keys.panels.end, scores, nullptr, scores);
    }
    context_rows<R>(forward, scratch, keys, begin, inverse);
}

template <int... R>
inline void attend_train_rows(int64_t rows, const AttentionTrainArgs& args, const AttentionScratch& scratch,
                              int64_t begin, std::integer_sequence<int, R...>) {
    using Function = void (*)(const AttentionTrainArgs&, const AttentionScratch&, int64_t);
    constexpr Function functions[] = {&attend_train<R + 1>...};
    functions[rows - 1](args, scratch, begin);
}

inline void attention_train(const AttentionTrainArgs& given) {
    AttentionTrainArgs args = given;
    const int64_t seq_len = args.forward.seq_len, tiles = (seq_len + kTileRows - 1) / kTileRows;
    const AttentionScratch scratch = pack_attention(args.forward);
    for (int64_t t = 0; t < tiles; t++) {
        const int64_t begin = seq_len * t / tiles, rows = seq_len * (t + 1) / tiles - begin;
        attend_train_rows(rows, args, scratch, begin, std::make_integer_sequence<int, kTileRows>());
    }
}
