// How the gradient of a matrix is walked: what is packed of X is used for all panels of a call.

// Calls use(first column, columns, integral_constant<int, vectors>) for panels of a gradient.
template <int V, typename Use>
inline void for_grad_panels(const LinearGradWeightArgs& args, const Use& use) {
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel++) {
        const int64_t column = panel * V * kLanes, left = args.n - column,
                      columns = left < V * kLanes ? left : V * kLanes;
        with_vectors<V>((columns + kLanes - 1) / kLanes,
                        [&](auto vectors) { use(column, columns, vectors); });
    }
}

// Calls use(first row, rows, first column, columns) for what is packed at a time: blocks in order.
template <typename Use>
inline void for_grad_blocks(const LinearGradWeightArgs& args, int64_t packed_inputs, const Use& use) {
    for (int64_t begin = args.k_begin; begin < args.k_end; begin += packed_inputs) {
        const int64_t left = args.k_end - begin, inputs = left < packed_inputs ? left : packed_inputs;
        for (int64_t first = 0; first < args.rows; first += kSumRows)
            use(first, args.rows - first < kSumRows ? args.rows - first : kSumRows, begin, inputs);
    }
}
