// The loss of logistic regression in float64, and its derivative by the scores.

typedef int64_t VecS __attribute__((vector_size(sizeof(VecL))));

constexpr double kLog2OfE = 0x1.71547652b82fep0;
// ln 2, whose high part has few enough bits for exact products with whole numbers.
constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLeastExponent = -708.0;
constexpr double kRounder = 0x1.8p52;  // the low bits of a sum with it are the whole number
constexpr int kExpTerms = 13;          // of e^x in ±ln 2 / 2: the next one is below 2^-57
constexpr int kLogTerms = 17;          // of 2 artanh(z) at z <= 1/3: the next one is below 2^-58

// e^x for x <= 0, at least e^-708; within 1 ulp. What is no number stays none.
inline VecD exp_double(VecD x) {
    const VecD least = set_double(kLeastExponent), rounder = set_double(kRounder);
    x = x < least ? least : x;
    const VecD whole = fma_double(x, set_double(kLog2OfE), rounder), n = whole - rounder;
    const VecD r = fma_double(n, set_double(-kLn2Low), fma_double(n, set_double(-kLn2High), x));
    // 1 + r (1 + r / 2 (1 + r / 3 (…)))
    VecD p = set_double(1.0);
    BERTHA_UNROLL
    for (int i = kExpTerms; i > 0; i--) p = fma_double(p, r * set_double(1.0 / i), set_double(1.0));
    return (VecD)((VecL)p + ((VecL)whole << 52));
}

// log(1 + x) for x from 0 to 1.
inline VecD log1p_double(VecD x) {
    const VecD z = x / (x + set_double(2.0)), square = z * z;
    VecD p = set_double(2.0 / (2 * kLogTerms + 1));
    BERTHA_UNROLL
    for (int i = kLogTerms - 1; i >= 0; i--) p = fma_double(p, square, set_double(2.0 / (2 * i + 1)));
    return p * z;
}

inline VecD abs_double(VecD x) { return (VecD)((VecL)x & set_long(~uint64_t{0} >> 1)); }

// The first `count` of a vector; `fill` in the others.
inline VecD load_part(const double* p, int64_t count, double fill) {
    if (count >= kDoubles) return load_double(p);
    double lanes[kDoubles];
    for (int64_t i = 0; i < kDoubles; i++) lanes[i] = i < count ? p[i] : fill;
    return load_double(lanes);
}

inline void store_part(double* p, VecD x, int64_t count) {
    if (count >= kDoubles) return store_double(p, x);
    double lanes[kDoubles];
    store_double(lanes, x);
    for (int64_t i = 0; i < count; i++) p[i] = lanes[i];
}

inline double row_weight(const LogisticArgs& args, int64_t row) {
    return args.weights == nullptr ? args.scale : args.scale * args.weights[row];
}

// A sigmoid: log(1 + exp(score)) - target · score, without overflow.
inline double sigmoid_losses(const LogisticArgs& args) {
    VecD losses = set_double(0.0);
    for (int64_t row = 0; row < args.rows; row += kDoubles) {
        const int64_t count = args.rows - row;
        double targets[kDoubles], weights[kDoubles];
        for (int64_t i = 0; i < kDoubles; i++) {
            const bool is_there = i < count;
            targets[i] = is_there ? static_cast<double>(args.targets[row + i]) : 0.0;
            weights[i] = is_there ? row_weight(args, row + i) : 0.0;
        }
        const VecD score = load_part(args.values + row, count, 0.0), target = load_double(targets),
                   weight = load_double(weights);
        const VecD size = abs_double(score), one = set_double(1.0);
        const VecD small = exp_double(set_double(0.0) - size);
        const VecL is_negative = (VecL)((VecS)score >> 63);
        const VecD above = (VecD)(((VecL)one & ~is_negative) | ((VecL)small & is_negative));
        const VecD loss = fma_double(set_double(0.5), score + size, log1p_double(small)) - target * score;
        losses = fma_double(weight, loss, losses);
        store_part(args.values + row, weight * (above / (one + small) - target), count);
    }
    return lane_sum(losses);
}

// A softmax of one row: log(Σ exp(score)) - the target's score.
inline double softmax_loss(double* values, int64_t classes, int64_t target, double weight) {
    double most = values[0];
    for (int64_t c = 1; c < classes; c++) most = values[c] > most ? values[c] : most;
    const double loss = most - values[target];
    VecD sums = set_double(0.0);
    for (int64_t c = 0; c < classes; c += kDoubles) {
        const int64_t count = classes - c;
        const VecD power = exp_double(load_part(values + c, count, most) - set_double(most));
        store_part(values + c, power, count);
        sums = sums + load_part(values + c, count, 0.0);
    }
    const double sum = lane_sum(sums), share = weight / sum;
    for (int64_t c = 0; c < classes; c++) values[c] *= share;
    values[target] -= weight;
    return weight * (__builtin_log(sum) + loss);
}

double logistic_residuals(const LogisticArgs& args) {
    if (args.outputs == 1) return sigmoid_losses(args);
    double loss = 0.0;
    for (int64_t row = 0; row < args.rows; row++)
        loss += softmax_loss(args.values + row * args.outputs, args.outputs, args.targets[row],
                             row_weight(args, row));
    return loss;
}
