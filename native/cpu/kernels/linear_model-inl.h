// Products of rows with the weights of a linear model and back, in float64. Rows are float32 or float64.

inline VecD load_row(const float* p) { return widen(p); }
inline VecD load_row(const double* p) { return load_double(p); }

constexpr int64_t kDoubles = kLanes / 2;
// Rows and classes of a tile: as many sums as the registers hold beside what is loaded.
constexpr int kModelRows = kProductRows >= 8 ? 4 : 2;
constexpr int kModelClasses = 4;
// Vectors of columns that a tile of the gradient keeps. Of one class alone more, and more rows of scores:
// otherwise each sum would wait for the one before it.
constexpr int kModelColumns = 2;
constexpr int kSingleColumns = 8, kSingleRows = 8;

inline double lane_sum(VecD x) {
    double lanes[kDoubles], sum = 0.0;
    store_double(lanes, x);
    for (double lane : lanes) sum += lane;
    return sum;
}

template <int kRows, int kClasses, typename T>
inline void score_tile(const LinearModelArgs& args, const T* x, const double* weights, double* out) {
    VecD sums[kRows][kClasses];
    for (auto& row : sums)
        for (VecD& sum : row) sum = set_double(0.0);
    int64_t k = 0;
    BERTHA_NO_UNROLL
    for (; k + kDoubles <= args.width; k += kDoubles) {
        VecD rows[kRows];
        BERTHA_UNROLL
        for (int r = 0; r < kRows; r++) {
            rows[r] = load_row(x + r * args.width + k);
            // Rows come from memory: of several streams in a page the hardware follows but one.
            if (kClasses == 1) __builtin_prefetch(x + (r + kRows) * args.width + k);
        }
        BERTHA_UNROLL
        for (int c = 0; c < kClasses; c++) {
            const VecD w = load_double(weights + c * args.width + k);
            BERTHA_UNROLL
            for (int r = 0; r < kRows; r++) sums[r][c] = fma_double(rows[r], w, sums[r][c]);
        }
    }
    for (int r = 0; r < kRows; r++)
        for (int c = 0; c < kClasses; c++) {
            double sum = lane_sum(sums[r][c]);
            for (int64_t rest = k; rest < args.width; rest++)
                sum += static_cast<double>(x[r * args.width + rest]) * weights[c * args.width + rest];
            out[r * args.classes + c] = sum;
        }
}

template <int kRows, typename T>
inline void score_classes(const LinearModelArgs& args, const T* x, double* out) {
    int64_t c = 0;
    for (; c + kModelClasses <= args.classes; c += kModelClasses)
        score_tile<kRows, kModelClasses>(args, x, args.weights + c * args.width, out + c);
    for (; c < args.classes; c++) score_tile<kRows, 1>(args, x, args.weights + c * args.width, out + c);
}

template <typename T>
inline void model_scores(const LinearModelArgs& args, const T* x) {
    int64_t r = 0;
    for (; args.classes == 1 && r + kSingleRows <= args.rows; r += kSingleRows)
        score_tile<kSingleRows, 1>(args, x + r * args.width, args.weights, args.values + r);
    for (; r + kModelRows <= args.rows; r += kModelRows)
        score_classes<kModelRows>(args, x + r * args.width, args.values + r * args.classes);
    for (; r < args.rows; r++) score_classes<1>(args, x + r * args.width, args.values + r * args.classes);
}

template <int kClasses, int kColumns, typename T>
inline void gradient_tile(const LinearModelArgs& args, const T* x, const double* residuals, double* out) {
    VecD sums[kClasses][kColumns];
    for (int c = 0; c < kClasses; c++)
        for (int j = 0; j < kColumns; j++) sums[c][j] = load_double(out + c * args.width + j * kDoubles);
    BERTHA_NO_UNROLL
    for (int64_t r = 0; r < args.rows; r++) {
        VecD columns[kColumns];
        BERTHA_UNROLL
        for (int j = 0; j < kColumns; j++) columns[j] = load_row(x + r * args.width + j * kDoubles);
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

template <int kClasses, typename T>
inline void gradient_classes(const LinearModelArgs& args, const T* x, int64_t first) {
    const double* residuals = args.values + first;
    double* out = args.gradient + first * args.width;
    int64_t k = 0;
    for (; kClasses == 1 && k + kSingleColumns * kDoubles <= args.width; k += kSingleColumns * kDoubles)
        gradient_tile<1, kSingleColumns>(args, x + k, residuals, out + k);
    for (; k + kModelColumns * kDoubles <= args.width; k += kModelColumns * kDoubles)
        gradient_tile<kClasses, kModelColumns>(args, x + k, residuals, out + k);
    for (; k + kDoubles <= args.width; k += kDoubles)
        gradient_tile<kClasses, 1>(args, x + k, residuals, out + k);
    for (; k < args.width; k++)
        for (int64_t r = 0; r < args.rows; r++)
            for (int c = 0; c < kClasses; c++)
                out[c * args.width + k] += residuals[r * args.classes + c] *
                                           static_cast<double>(x[r * args.width + k]);
}

template <typename T>
inline void model_gradient(const LinearModelArgs& args, const T* x) {
    int64_t c = 0;
    for (; c + kModelClasses <= args.classes; c += kModelClasses) gradient_classes<kModelClasses>(args, x, c);
    for (; c < args.classes; c++) gradient_classes<1>(args, x, c);
}

inline void linear_model_scores(const LinearModelArgs& args) {
    args.wide_rows != nullptr ? model_scores(args, args.wide_rows) : model_scores(args, args.narrow_rows);
}

inline void linear_model_gradient(const LinearModelArgs& args) {
    args.wide_rows != nullptr ? model_gradient(args, args.wide_rows) : model_gradient(args, args.narrow_rows);
}
