// Products of rows with the weights of a linear model and back, in float64. Rows are float32 or float64. The
// sum of a row and a class is the same number in whatever tile it is computed.

constexpr int64_t kDoubles = kLanes / 2;
// Rows and classes of a tile of scores: as many sums as the registers hold beside what is loaded.
constexpr int kModelRows = kDoubles;
constexpr int kScoreClasses = 3;
// Classes and vectors of columns that a tile of the gradient keeps; of one class alone more, as each sum
// waits for the one before it.
constexpr int kModelClasses = 4;
constexpr int kModelColumns = kDoubles >= 8 ? 4 : 2;
constexpr int kSingleColumns = 8;
constexpr int64_t kLineFloats = 16;

inline double lane_sum(VecD x) {
    VecD sums[kDoubles];
    for (VecD& sum : sums) sum = x;
    double lanes[kDoubles];
    store_double(lanes, double_sums(sums));
    return lanes[0];
}

// Rows come from memory: of several streams in a page the hardware follows but one, so that those of the next
// tile are asked for here.
inline void widen_tile(const LinearModelArgs& args, int64_t first, int rows) {
    const float* x = args.narrow_rows + first * args.width;
    double* out = args.widened + first * args.width;
    const int64_t count = rows * args.width;
    int64_t k = 0;
    for (; k + kLineFloats <= count; k += kLineFloats) {
        __builtin_prefetch(x + k + count);
        BERTHA_UNROLL
        for (int64_t j = 0; j < kLineFloats; j += kDoubles) store_double(out + k + j, widen(x + k + j));
    }
    for (; k < count; k++) out[k] = static_cast<double>(x[k]);
}

template <int kRows, int kClasses>
inline void score_tile(const LinearModelArgs& args, const double* x, const double* weights, double* out) {
    VecD sums[kClasses][kRows];
    BERTHA_UNROLL
    for (int c = 0; c < kClasses; c++) {
        BERTHA_UNROLL
        for (int r = 0; r < kRows; r++) sums[c][r] = set_double(0.0);
    }
    const bool is_fetched = kClasses == 1 && args.narrow_rows == nullptr;
    int64_t k = 0;
    BERTHA_NO_UNROLL
    for (; k + kDoubles <= args.width; k += kDoubles) {
        VecD w[kClasses];
        BERTHA_UNROLL
        for (int c = 0; c < kClasses; c++) w[c] = load_double(weights + c * args.width + k);
        BERTHA_UNROLL
        for (int r = 0; r < kRows; r++) {
            const double* const own = x + r * args.width + k;
            VecD row = load_double(own);
            BERTHA_KEEP_IN_REGISTER(row);
            if (is_fetched) __builtin_prefetch(own + kRows * args.width);
            BERTHA_UNROLL
            for (int c = 0; c < kClasses; c++) sums[c][r] = fma_double(row, w[c], sums[c][r]);
        }
    }
    BERTHA_UNROLL
    for (int c = 0; c < kClasses; c++) {
        double lanes[kRows];
        if constexpr (kRows == kDoubles)
            store_double(lanes, double_sums(sums[c]));
        else
            lanes[0] = lane_sum(sums[c][0]);
        for (int r = 0; r < kRows; r++) {
            double sum = lanes[r];
            for (int64_t rest = k; rest < args.width; rest++)
                sum += x[r * args.width + rest] * weights[c * args.width + rest];
            out[r * args.classes + c] = sum;
        }
    }
}

template <int kRows>
inline void score_classes(const LinearModelArgs& args, int64_t first) {
    static_assert(kRows == kDoubles || kRows == 1, "whole vectors of sums");
    if (args.narrow_rows != nullptr) widen_tile(args, first, kRows);
    const double* x = (args.narrow_rows != nullptr ? args.widened : args.wide_rows) + first * args.width;
    double* out = args.values + first * args.classes;
    int64_t c = 0;
    for (; c + kScoreClasses <= args.classes; c += kScoreClasses)
        score_tile<kRows, kScoreClasses>(args, x, args.weights + c * args.width, out + c);
    const double* const weights = args.weights + c * args.width;
    if (args.classes - c == 2) score_tile<kRows, 2>(args, x, weights, out + c);
    if (args.classes - c == 1) score_tile<kRows, 1>(args, x, weights, out + c);
}

void linear_model_scores(const LinearModelArgs& args) {
    int64_t r = 0;
    for (; r + kModelRows <= args.rows; r += kModelRows) score_classes<kModelRows>(args, r);
    for (; r < args.rows; r++) score_classes<1>(args, r);
}

template <int kClasses, int kColumns>
inline void gradient_tile(const LinearModelArgs& args, const double* x, const double* residuals,
                          double* out) {
    VecD sums[kClasses][kColumns];
    for (int c = 0; c < kClasses; c++)
        for (int j = 0; j < kColumns; j++) sums[c][j] = load_double(out + c * args.width + j * kDoubles);
    BERTHA_NO_UNROLL
    for (int64_t r = 0; r < args.rows; r++) {
        VecD columns[kColumns];
        BERTHA_UNROLL
        for (int j = 0; j < kColumns; j++) {
            columns[j] = load_double(x + r * args.width + j * kDoubles);
            BERTHA_KEEP_IN_REGISTER(columns[j]);
        }
        BERTHA_UNROLL
        for (int c = 0; c < kClasses; c++) {
            const VecD residual = set_double(residuals[r * args.classes + c]);
            BERTHA_UNROLL
            for (int j = 0; j < kColumns; j++) sums[c][j] = fma_double(residual, columns[j], sums[c][j]);
        }
    }
    for (int c = 0; c < kClasses; c++)
        for (int j = 0; j < kColumns; j++) store_double(out + c * args.width + j * kDoubles, sums[c][j]);
}

// Some columns of all classes: the rows' part of them stays in the L1 cache.
template <int kColumns>
inline void gradient_columns(const LinearModelArgs& args, const double* x, double* out) {
    int64_t c = 0;
    for (; c + kModelClasses <= args.classes; c += kModelClasses)
        gradient_tile<kModelClasses, kColumns>(args, x, args.values + c, out + c * args.width);
    for (; c < args.classes; c++) gradient_tile<1, kColumns>(args, x, args.values + c, out + c * args.width);
}

void linear_model_gradient(const LinearModelArgs& args) {
    const double* const x = args.narrow_rows != nullptr ? args.widened : args.wide_rows;
    double* const out = args.gradient;
    int64_t k = 0;
    for (; args.classes == 1 && k + kSingleColumns * kDoubles <= args.width; k += kSingleColumns * kDoubles)
        gradient_tile<1, kSingleColumns>(args, x + k, args.values, out + k);
    for (; k + kModelColumns * kDoubles <= args.width; k += kModelColumns * kDoubles)
        gradient_columns<kModelColumns>(args, x + k, out + k);
    for (; k + kDoubles <= args.width; k += kDoubles) gradient_columns<1>(args, x + k, out + k);
    for (; k < args.width; k++)
        for (int64_t r = 0; r < args.rows; r++)
            for (int64_t c = 0; c < args.classes; c++)
                out[c * args.width + k] += args.values[r * args.classes + c] * x[r * args.width + k];
}
