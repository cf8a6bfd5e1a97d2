// The products of bf16-inl.h by two FMAs a pair, for processors whose vdpbf16ps does half the work of their
// FMA units: Intel's (Sapphire Rapids, one core: 89 GF/s by the instruction, 157 so). The instruction adds
// the product of the pair's second numbers, then that of the first, each fused and with denormals flushed; so
// do these, on threads that flush denormals: the same bits. Panels are those of bf16-inl.h. Rows are prepared
// as fp32 numbers that bf16 can hold, the second of each pair first.

// To bf16 and back.
inline VecF round_to_bf16(VecF x) {
    const __m512i bits = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}

inline VecF swap_pairs(VecF x) { return _mm512_permute_ps(x, 0xb1); }

// Whole vectors, so that a row's last store stays inside.
int64_t rounded_row_bytes(int64_t k) { return padded_columns(k) * 4; }

void rounded_rows(const float* x, int64_t stride, int64_t rows, int64_t k, const float* inverse_scale,
                  uint8_t* dst) {
    for (int64_t row = 0; row < rows; row++, x += stride, dst += rounded_row_bytes(k)) {
        auto* out = reinterpret_cast<float*>(dst);
        for (int64_t i = 0; i < k; i += kLanes) {
            const __mmask16 lanes = k - i >= kLanes ? __mmask16{0xffff} : first_lanes(k - i);
            VecF value = _mm512_maskz_loadu_ps(lanes, x + i);
            if (inverse_scale != nullptr) value = mul(value, _mm512_maskz_loadu_ps(lanes, inverse_scale + i));
            store(out + i, swap_pairs(round_to_bf16(value)));
        }
    }
}

struct PairsByFma {
    static int64_t row_bytes(int64_t k) { return rounded_row_bytes(k); }

    template <int R, int V, bool kPrefetch>
    static void multiply(const Bf16Tile& tile, VecF (&sums)[R][V]) {
        start_bf16_tile(tile, sums);
        const __m512i high = _mm512_set1_epi32(static_cast<int32_t>(0xffff0000u));
        const uint8_t* panel = tile.panel;
        const uint8_t* next = tile.next_panel;
        const float* rows[R];
        for (int r = 0; r < R; r++) rows[r] = reinterpret_cast<const float*>(tile.rows + r * tile.row_bytes);
        BERTHA_NO_UNROLL
        for (int64_t i = 0; i < 2 * tile.pairs; i += 2) {
            if (kPrefetch)
                for (int v = 0; v < V; v++) prefetch(next + v * 64);
            VecF numbers[V];
            for (int v = 0; v < V; v++) {
                numbers[v] = _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(panel + v * 64), high));
                BERTHA_KEEP_IN_REGISTER(numbers[v]);
            }
            for (int r = 0; r < R; r++) {
                const VecF x = set(rows[r][i]);
                for (int v = 0; v < V; v++) sums[r][v] = fma(x, numbers[v], sums[r][v]);
            }
            // Loaded again: with both numbers at once the registers would not hold the sums.
            for (int v = 0; v < V; v++) {
                numbers[v] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(panel + v * 64), 16));
                BERTHA_KEEP_IN_REGISTER(numbers[v]);
            }
            for (int r = 0; r < R; r++) {
                const VecF x = set(rows[r][i + 1]);
                for (int v = 0; v < V; v++) sums[r][v] = fma(x, numbers[v], sums[r][v]);
            }
            panel += V * 64;
            next += V * 64;
        }
    }
};

constexpr MatrixFormat kBf16ByFmaFormat = {
    "bf16",
    kBf16Width,
    bf16_panel_bytes,
    pack_bf16_panel,
    rounded_row_bytes,
    rounded_rows,
    linear<bf16_gemm<PairsByFma>, kBf16Width, activate_rounded>,
    gated_linear<bf16_gemm<PairsByFma>, rounded_row_bytes, kBf16Width, activate_rounded>};
