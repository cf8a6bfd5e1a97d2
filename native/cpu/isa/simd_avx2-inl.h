// 8 lanes of AVX2 + FMA. See simd_scalar-inl.h for what each function means.

using VecF = __m256;
// Lanes of int32, not __m256i, whose lanes are 64-bit: g++ 12 would copy each sum of a loop from one register
// to another and back at every step.
typedef int32_t VecI __attribute__((vector_size(32)));
constexpr int64_t kLanes = 8;
constexpr int kTileRows = 6;  // 6 x 16: 12 accumulators, 2 panel vectors, 1 or 2 broadcasts
constexpr int kTileVectors = 2;
constexpr int kInputLanes = 1;  // no FMA takes a lane of a register

inline __m256i first_lanes(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

inline VecF zero() { return _mm256_setzero_ps(); }
inline VecF set(float x) { return _mm256_set1_ps(x); }
inline VecF load(const float* p) { return _mm256_loadu_ps(p); }
inline VecF load_first(const float* p, int64_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
inline void store(float* p, VecF x) { _mm256_storeu_ps(p, x); }
inline void store_first(float* p, VecF x, int64_t n) { _mm256_maskstore_ps(p, first_lanes(n), x); }
inline VecF keep_first(VecF x, int64_t n) { return _mm256_and_ps(x, _mm256_castsi256_ps(first_lanes(n))); }
inline VecF keep_first_or(VecF x, int64_t n, VecF other) {
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(first_lanes(n)));
}
inline VecF add(VecF a, VecF b) { return _mm256_add_ps(a, b); }
inline VecF sub(VecF a, VecF b) { return _mm256_sub_ps(a, b); }
inline VecF mul(VecF a, VecF b) { return _mm256_mul_ps(a, b); }
inline VecF div(VecF a, VecF b) { return _mm256_div_ps(a, b); }
inline VecF sqrt(VecF x) { return _mm256_sqrt_ps(x); }
inline VecF fma(VecF a, VecF b, VecF c) { return _mm256_fmadd_ps(a, b, c); }
inline VecF max(VecF a, VecF b) { return _mm256_max_ps(a, b); }
inline VecF min(VecF a, VecF b) { return _mm256_min_ps(a, b); }
inline VecF abs(VecF x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
inline VecF copy_sign(VecF magnitude, VecF sign) {
    return _mm256_or_ps(magnitude, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)));
}
inline VecF select_less(VecF a, VecF b, VecF when_less, VecF otherwise) {
    return _mm256_blendv_ps(otherwise, when_less, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
inline VecF round_even(VecF x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline VecF scale_by_power(VecF x, VecF n) {
    const __m256i exponent = _mm256_slli_epi32(
        _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(x, _mm256_castsi256_ps(exponent));
}
inline VecI truncate(VecF x) { return (VecI)_mm256_cvttps_epi32(x); }
inline VecF to_float(VecI x) { return _mm256_cvtepi32_ps((__m256i)x); }
inline VecF lookup8(const float* table, VecI index) {
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)index);
}
inline float sum(VecF x) {
    const __m128 b = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_shuffle_ps(c, c, 1)));
}
inline float largest(VecF x) {
    const __m128 b = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_shuffle_ps(c, c, 1)));
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

// 8 x 8: 4x4 blocks inside 128-bit lanes, then the lanes themselves.
inline void transpose(const float* src, int64_t src_stride, float* dst, int64_t dst_stride) {
    __m256 row[8], half[8];
    for (int i = 0; i < 8; i++) row[i] = _mm256_loadu_ps(src + i * src_stride);
    for (int i = 0; i < 8; i += 4) {
        const __m256 a = _mm256_unpacklo_ps(row[i], row[i + 1]), b = _mm256_unpackhi_ps(row[i], row[i + 1]);
        const __m256 c = _mm256_unpacklo_ps(row[i + 2], row[i + 3]),
                     d = _mm256_unpackhi_ps(row[i + 2], row[i + 3]);
        half[i] = _mm256_shuffle_ps(a, c, 0x44);
        half[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        half[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        half[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(dst + i * dst_stride, _mm256_permute2f128_ps(half[i], half[i + 4], 0x20));
        _mm256_storeu_ps(dst + (i + 4) * dst_stride, _mm256_permute2f128_ps(half[i], half[i + 4], 0x31));
    }
}

inline VecF load_half(const uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline void store_half(uint16_t* p, VecF x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline VecI zero_int() { return VecI{}; }
inline VecI set_int(int32_t x) { return (VecI)_mm256_set1_epi32(x); }
inline VecI load_int(const void* p) { return (VecI)_mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline VecI add_int(VecI a, VecI b) { return a + b; }
inline VecI min_int(VecI a, VecI b) { return (VecI)_mm256_min_epi32((__m256i)a, (__m256i)b); }
// a · b of each two 16-bit numbers.
inline VecI dot_pairs(VecI a, VecI b) { return (VecI)_mm256_madd_epi16((__m256i)a, (__m256i)b); }
// The products of unsigned x and signed w, each two summed in 16 bits.
inline VecI multiply_bytes(VecI x, VecI w) { return (VecI)_mm256_maddubs_epi16((__m256i)x, (__m256i)w); }
inline VecI add_int16(VecI a, VecI b) { return (VecI)_mm256_add_epi16((__m256i)a, (__m256i)b); }
inline bool any_bits(VecI x, int32_t mask) {
    return _mm256_testz_si256((__m256i)x, _mm256_set1_epi32(mask)) == 0;
}
inline VecI round_to_int(VecF x) { return (VecI)_mm256_cvtps_epi32(x); }
inline void store_bytes(uint8_t* p, VecI x) {
    const __m256i lanes = (__m256i)x;
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
}

using VecD = __m256d;
constexpr int kProductRows = 6;  // 6 x 8 doubles: 12 accumulators, 2 panel vectors, a broadcast
inline VecD set_double(double x) { return _mm256_set1_pd(x); }
inline VecD load_double(const double* p) { return _mm256_loadu_pd(p); }
inline void store_double(double* p, VecD x) { _mm256_storeu_pd(p, x); }
inline VecD widen(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
inline VecD fma_double(VecD a, VecD b, VecD c) { return _mm256_fmadd_pd(a, b, c); }
// The sums of four vectors' lanes: of neighbours, then of pairs.
inline VecD double_sums(const VecD (&x)[4]) {
    const VecD a = _mm256_hadd_pd(x[0], x[1]), b = _mm256_hadd_pd(x[2], x[3]);
    return _mm256_add_pd(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31));
}
inline VecD quotient_or_zero(VecD a, VecD b) {
    return _mm256_and_pd(_mm256_div_pd(a, b), _mm256_cmp_pd(b, _mm256_setzero_pd(), _CMP_NEQ_UQ));
}

typedef uint64_t VecL __attribute__((vector_size(32)));
inline VecL set_long(uint64_t x) { return VecL{x, x, x, x}; }
inline VecL count_long() { return VecL{0, 1, 2, 3}; }
inline VecL multiply_low_words(VecL a, VecL b) { return (VecL)_mm256_mul_epu32((__m256i)a, (__m256i)b); }
inline void store_interleaved(void* p, VecL a, VecL b) {
    const __m256i low = _mm256_unpacklo_epi64((__m256i)a, (__m256i)b),
                  high = _mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
    __m256i* out = static_cast<__m256i*>(p);
    _mm256_storeu_si256(out, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(low, high, 0x31));
}
inline VecF load_uint16(const uint16_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}

template <int64_t kSums = kLanes>
inline VecF lane_sums(const float* p) {
    static_assert(kSums == kLanes, "all of them");
    __m256 four[2];
    for (int i = 0; i < 2; i++, p += 4 * kLanes) {
        const __m256 a = _mm256_loadu_ps(p), b = _mm256_loadu_ps(p + 8), c = _mm256_loadu_ps(p + 16),
                     d = _mm256_loadu_ps(p + 24);
        four[i] = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    }
    return _mm256_add_ps(_mm256_permute2f128_ps(four[0], four[1], 0x20),
                         _mm256_permute2f128_ps(four[0], four[1], 0x31));
}
inline VecF inverse_sqrt(VecF x) {
    const VecF y = _mm256_rsqrt_ps(x);
    return mul(y, sub(set(1.5f), mul(mul(set(0.5f), x), mul(y, y))));
}
