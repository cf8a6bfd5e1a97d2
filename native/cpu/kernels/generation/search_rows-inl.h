// What a search asks of a row of logits.

// log(sum of exp(x)) in float64; -inf where all x are, NaN where one is NaN or +inf.
double wide_log_sum(const float* x, int64_t n) {
    constexpr float kInfinity = __builtin_inff();
    const VecF infinity = set(kInfinity), one = set(1.0f);
    VecF tops[4] = {set(-kInfinity), set(-kInfinity), set(-kInfinity), set(-kInfinity)}, wrong = zero();
    const auto see = [&](int j, VecF value) {
        tops[j] = max(tops[j], value);
        wrong = max(wrong, select_less(value, infinity, zero(), one));
    };
    int64_t i = 0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes)
        for (int j = 0; j < 4; j++) see(j, load(x + i + j * kLanes));
    for (; i + kLanes <= n; i += kLanes) see(0, load(x + i));
    if (i < n) see(0, keep_first_or(load_first(x + i, n - i), n - i, set(x[i])));
    if (largest(wrong) > 0.0f) return __builtin_nan("");
    const float top = largest(max(max(tops[0], tops[1]), max(tops[2], tops[3])));
    if (top == -kInfinity) return -__builtin_inf();
    const VecD peak = set_double(static_cast<double>(top));
    VecD sums[2] = {set_double(0.0), set_double(0.0)};
    for (i = 0; i + 2 * kDoubles <= n; i += 2 * kDoubles)
        for (int j = 0; j < 2; j++) sums[j] = sums[j] + exp_double(widen(x + i + j * kDoubles) - peak);
    double total = lane_sum(sums[0] + sums[1]);
    for (; i < n; i += kDoubles) {
        double lanes[kDoubles];
        for (int64_t j = 0; j < kDoubles; j++)
            lanes[j] = i + j < n ? static_cast<double>(x[i + j]) - static_cast<double>(top) : kLeastExponent;
        store_double(lanes, exp_double(load_double(lanes)));
        for (int64_t j = 0; j < kDoubles && i + j < n; j++) total += lanes[j];
    }
    return static_cast<double>(top) + __builtin_log(total);
}

// The k largest of x that are above -inf, in falling order, equal ones by rising column; returns how many
// there are. Most columns fail the one comparison of their block with the worst of the best so far.
int64_t best(const float* x, int64_t n, int64_t k, float* values, int32_t* columns) {
    constexpr int64_t kBlock = 4 * kLanes;
    float worst = -__builtin_inff();
    int64_t kept = 0;
    const auto consider = [&](int64_t column) {
        const float value = x[column];
        if (!(value > worst)) return;
        int64_t place = kept < k ? kept++ : k - 1;
        for (; place > 0 && value > values[place - 1]; place--) {
            values[place] = values[place - 1];
            columns[place] = columns[place - 1];
        }
        values[place] = value;
        columns[place] = static_cast<int32_t>(column);
        if (kept == k) worst = values[k - 1];
    };
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
        const VecF top = max(max(load(x + i), load(x + i + kLanes)),
                             max(load(x + i + 2 * kLanes), load(x + i + 3 * kLanes)));
        if (!(largest(top) > worst)) continue;
        for (int64_t column = i; column < i + kBlock; column++) consider(column);
    }
    for (; i < n; i++) consider(i);
    return kept;
}
