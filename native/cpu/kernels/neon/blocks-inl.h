// Products by NEON's matrix instructions: two rows by two columns and 8 bytes of k of each at a time, four
// sums in a register. Rows lie apart; two halves of a register are loaded from two of them, 8 such inserts
// for 32 products of an 8 x 8 tile. (Rows stored in pairs would need none, but then a row would lie where its
// neighbours say.) An element's sum sees its own row and column alone.

constexpr int kBlockRows = 8;
constexpr int kBlockVectors = 2;  // 8 x 8: 16 accumulators, 8 row pairs, a column pair
constexpr int64_t kBlockWidth = kBlockVectors * kLanes;
constexpr int64_t kBlockBytes = 8;  // of k, of one row or column
constexpr int64_t kBlockStep = 2 * kBlockBytes;

// sums [R][V] = rows times the panel [2 steps][V · kLanes columns][8 bytes]. Product::dot(sums, rows,
// columns) is the instruction on vectors of 16 bytes, Product::Sums its sums.
template <typename Product, int R, int V, bool kPrefetch>
inline void multiply_blocks(const uint8_t* rows, int64_t row_bytes, const uint8_t* panel, int64_t steps,
                            int64_t ahead, typename Product::Sums (&sums)[R][V]) {
    constexpr int kPairs = (R + 1) / 2, kColumnPairs = V * static_cast<int>(kLanes) / 2;
    constexpr int64_t kPanelStep = V * kLanes * kBlockStep;
    // As integers: g++ 12 copies sums of floats from one register to another at every step.
    VecI blocks[kPairs][kColumnPairs];
    for (auto& pair : blocks)
        for (VecI& block : pair) block = zero_int();
    BERTHA_NO_UNROLL
    for (int64_t step = 0; step < steps; step++) {
        if (kPrefetch)
            for (int64_t line = 0; line < kPanelStep; line += 64) prefetch(panel + ahead + line);
        BERTHA_UNROLL
        for (int half = 0; half < 2; half++) {
            VecI pairs[kPairs];
            BERTHA_UNROLL
            for (int p = 0; p < kPairs; p++) {
                // The last row of an odd number pairs with itself.
                const uint8_t* first = rows + 2 * p * row_bytes + half * kBlockBytes;
                const uint8_t* second = 2 * p + 1 < R ? first + row_bytes : first;
                pairs[p] = vreinterpretq_s32_u8(vcombine_u8(vld1_u8(first), vld1_u8(second)));
            }
            BERTHA_UNROLL
            for (int c = 0; c < kColumnPairs; c++, panel += 2 * kBlockBytes) {
                const VecI columns = load_int(panel);
                BERTHA_UNROLL
                for (int p = 0; p < kPairs; p++)
                    blocks[p][c] = (VecI)Product::dot((typename Product::Sums)blocks[p][c], pairs[p],
                                                      columns);
            }
        }
        rows += kBlockStep;
    }
    BERTHA_UNROLL
    for (int r = 0; r < R; r++) {
        BERTHA_UNROLL
        for (int v = 0; v < V; v++) {
            const VecF left = (VecF)blocks[r / 2][2 * v], right = (VecF)blocks[r / 2][2 * v + 1];
            sums[r][v] = (typename Product::Sums)(r % 2 == 0 ? low_halves(left, right)
                                                             : high_halves(left, right));
        }
    }
}
