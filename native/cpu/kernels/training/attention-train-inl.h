// attention-inl.h as training runs it: each row's log-sum-exp is kept for the backward, and dropout falls on
// the probabilities, after the sum that they are divided by.

inline void drop_row(const Dropout& dropout, uint32_t row, int64_t begin, int64_t end, float* powers) {
    drop_columns(DropoutFactors(dropout), row, begin, end, powers, nullptr, powers);
}

inline void attention_train(const AttentionTrainArgs& args) {
    AttentionTraining training;
    training.row_lse = args.row_lse;
    training.lse_stride = args.lse_stride;
    training.drop = args.dropout.threshold > 0 ? drop_row : nullptr;
    training.dropout = &args.dropout;
    training.first_row = args.first_row;
    AttentionArgs forward = args.forward;
    forward.training = &training;
    own_kernels().attention(forward);
}
