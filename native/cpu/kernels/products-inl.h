// Products of vectors in float64: queries [queries, width] times rows, kLanes of them at a time as a panel
// [width, kLanes].
//
// A product is one sum in the order of the components, in one lane: it has the same bits on every instruction
// set, whatever the tile, and those of the plain loop in JavaScript. The product of two float32 is exact in
// float64 (24 + 24 bits), so fused and separate additions agree; with float64 components they would not, and
// the kernels multiply and add in two steps. Panels are the cost of few queries (a transposition of each
// row), the multiplications that of many; at one query both wait for memory.

// rows [count, width] with `stride` numbers from one to the next -> panel [width, kLanes]; columns from
// `count` on are 0.
inline void pack_columns(const float* rows, int64_t stride, int64_t count, int64_t begin, int64_t width,
                         double* panel) {
    for (int64_t k = begin; k < width; k++)
        for (int64_t r = 0; r < kLanes; r++)
            panel[k * kLanes + r] = r < count ? static_cast<double>(rows[r * stride + k]) : 0.0;
}

inline void pack_products(const float* rows, int64_t stride, int64_t count, int64_t width, double* panel) {
    int64_t begin = 0;
    for (; count == kLanes && begin + kLanes <= width; begin += kLanes) {
        float block[kLanes * kLanes];
        transpose(rows + begin, stride, block, kLanes);
        for (int64_t i = 0; i < 2 * kLanes; i++)
            store_double(panel + begin * kLanes + i * kLanes / 2, widen(block + i * kLanes / 2));
    }
    pack_columns(rows, stride, count, begin, width, panel);
}

inline void pack_wide_products(const double* rows, int64_t stride, int64_t count, int64_t width,
                               double* panel) {
    for (int64_t k = 0; k < width; k++)
        for (int64_t r = 0; r < kLanes; r++) panel[k * kLanes + r] = r < count ? rows[r * stride + k] : 0.0;
}

// Sums of squares of a panel's rows [kLanes].
inline void panel_squares(const double* panel, int64_t width, double* out) {
    VecD low = set_double(0.0), high = low;
    for (int64_t k = 0; k < width; k++, panel += kLanes) {
        const VecD a = load_double(panel), b = load_double(panel + kLanes / 2);
        low = a * a + low;
        high = b * b + high;
    }
    store_double(out, low);
    store_double(out + kLanes / 2, high);
}

template <int kQueries, bool kExact>
inline void product_tile(const ProductArgs& args, int64_t first) {
    VecD sums[kQueries][2];
    const double* queries[kQueries];
    BERTHA_UNROLL
    for (int q = 0; q < kQueries; q++) {
        sums[q][0] = sums[q][1] = set_double(0.0);
        queries[q] = args.queries + (first + q) * args.width;
    }
    const double* panel = args.panel;
    BERTHA_NO_UNROLL
    for (int64_t k = 0; k < args.width; k++, panel += kLanes) {
        VecD low = load_double(panel), high = load_double(panel + kLanes / 2);
        BERTHA_KEEP_IN_REGISTER(low);
        BERTHA_KEEP_IN_REGISTER(high);
        BERTHA_UNROLL
        for (int q = 0; q < kQueries; q++) {
            const VecD x = set_double(queries[q][k]);
            sums[q][0] = kExact ? fma_double(x, low, sums[q][0]) : x * low + sums[q][0];
            sums[q][1] = kExact ? fma_double(x, high, sums[q][1]) : x * high + sums[q][1];
        }
    }
    BERTHA_UNROLL
    for (int q = 0; q < kQueries; q++) {
        double* out = args.out + (first + q) * kLanes;
        if (args.query_norms != nullptr) {
            const VecD norm = set_double(args.query_norms[first + q]);
            sums[q][0] = quotient_or_zero(sums[q][0], norm * load_double(args.row_norms));
            sums[q][1] = quotient_or_zero(sums[q][1], norm * load_double(args.row_norms + kLanes / 2));
        }
        store_double(out, sums[q][0]);
        store_double(out + kLanes / 2, sums[q][1]);
    }
}

template <bool kExact>
inline void product_tiles(const ProductArgs& args) {
    int64_t q = 0;
    for (; q + kProductRows <= args.count; q += kProductRows) product_tile<kProductRows, kExact>(args, q);
    for (; q + 2 <= args.count; q += 2) product_tile<2, kExact>(args, q);
    for (; q < args.count; q++) product_tile<1, kExact>(args, q);
}

inline void products(const ProductArgs& args) {
    args.exact ? product_tiles<true>(args) : product_tiles<false>(args);
}
