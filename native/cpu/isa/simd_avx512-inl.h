// 16 lanes of AVX-512 (F, BW, DQ, VL). See simd_scalar-inl.h for what each function means.

using VecF = __m512;
// Lanes of int32, not __m512i, whose lanes are 64-bit: g++ 12 would copy each sum of a loop from one register
// to another and back at every step.
typedef int32_t VecI __attribute__((vector_size(64)));
constexpr int64_t kLanes = 16;
constexpr int kTileRows = 8;  // 8 x 48: 24 accumulators, 3 panel vectors, the broadcast is a memory operand
constexpr int kTileVectors = 3;
constexpr int kInputLanes = 1;  // no FMA takes a lane of a register

inline __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }

inline VecF zero() { return _mm512_setzero_ps(); }
inline VecF set(float x) { return _mm512_set1_ps(x); }
inline VecF load(const float* p) { return _mm512_loadu_ps(p); }
inline VecF load_first(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
inline void store(float* p, VecF x) { _mm512_storeu_ps(p, x); }
inline void store_first(float* p, VecF x, int64_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), x); }
inline VecF keep_first(VecF x, int64_t n) { return _mm512_maskz_mov_ps(first_lanes(n), x); }
inline VecF keep_first_or(VecF x, int64_t n, VecF other) {
    return _mm512_mask_mov_ps(other, first_lanes(n), x);
}
inline VecF add(VecF a, VecF b) { return _mm512_add_ps(a, b); }
inline VecF sub(VecF a, VecF b) { return _mm512_sub_ps(a, b); }
inline VecF mul(VecF a, VecF b) { return _mm512_mul_ps(a, b); }
inline VecF div(VecF a, VecF b) { return _mm512_div_ps(a, b); }
inline VecF sqrt(VecF x) { return _mm512_sqrt_ps(x); }
inline VecF fma(VecF a, VecF b, VecF c) { return _mm512_fmadd_ps(a, b, c); }
inline VecF max(VecF a, VecF b) { return _mm512_max_ps(a, b); }
inline VecF min(VecF a, VecF b) { return _mm512_min_ps(a, b); }
inline VecF abs(VecF x) { return _mm512_abs_ps(x); }
inline VecF copy_sign(VecF magnitude, VecF sign) {
    const __m512i bit = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(
        _mm512_or_si512(_mm512_castps_si512(magnitude), _mm512_and_si512(_mm512_castps_si512(sign), bit)));
}
inline VecF select_less(VecF a, VecF b, VecF when_less, VecF otherwise) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), otherwise, when_less);
}
inline VecF round_even(VecF x) {
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline VecF scale_by_power(VecF x, VecF n) { return _mm512_scalef_ps(x, n); }
inline VecI truncate(VecF x) { return (VecI)_mm512_cvttps_epi32(x); }
inline VecF to_float(VecI x) { return _mm512_cvtepi32_ps((__m512i)x); }
// The entries that the low four bits of each lane of `index` name.
inline VecF lookup16(const float* table, VecF index) {
    return _mm512_permutexvar_ps(_mm512_castps_si512(index), _mm512_loadu_ps(table));
}
inline float sum(VecF x) {
    const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_shuffle_ps(c, c, 1)));
}
inline float largest(VecF x) {
    const __m256 a = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_shuffle_ps(c, c, 1)));
}
inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

// 16 x 16: 4x4 blocks inside 128-bit lanes, then the lanes themselves.
inline void transpose(const __m512 (&row)[16], float* dst, int64_t dst_stride) {
    __m512 half[16];
    for (int i = 0; i < 16; i += 4) {
        const __m512 a = _mm512_unpacklo_ps(row[i], row[i + 1]), b = _mm512_unpackhi_ps(row[i], row[i + 1]);
        const __m512 c = _mm512_unpacklo_ps(row[i + 2], row[i + 3]),
                     d = _mm512_unpackhi_ps(row[i + 2], row[i + 3]);
        half[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(c)));
        half[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(c)));
        half[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(b), _mm512_castps_pd(d)));
        half[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(b), _mm512_castps_pd(d)));
    }
    for (int i = 0; i < 4; i++) {
        const __m512 a = _mm512_shuffle_f32x4(half[i], half[i + 4], 0x88),
                     b = _mm512_shuffle_f32x4(half[i + 8], half[i + 12], 0x88);
        const __m512 c = _mm512_shuffle_f32x4(half[i], half[i + 4], 0xdd),
                     d = _mm512_shuffle_f32x4(half[i + 8], half[i + 12], 0xdd);
        _mm512_storeu_ps(dst + i * dst_stride, _mm512_shuffle_f32x4(a, b, 0x88));
        _mm512_storeu_ps(dst + (i + 4) * dst_stride, _mm512_shuffle_f32x4(c, d, 0x88));
        _mm512_storeu_ps(dst + (i + 8) * dst_stride, _mm512_shuffle_f32x4(a, b, 0xdd));
        _mm512_storeu_ps(dst + (i + 12) * dst_stride, _mm512_shuffle_f32x4(c, d, 0xdd));
    }
}

inline void transpose(const float* src, int64_t src_stride, float* dst, int64_t dst_stride) {
    __m512 row[16];
    for (int i = 0; i < 16; i++) row[i] = _mm512_loadu_ps(src + i * src_stride);
    transpose(row, dst, dst_stride);
}

inline VecF load_half(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void store_half(uint16_t* p, VecF x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
inline VecI zero_int() { return VecI{}; }
inline VecI set_int(int32_t x) { return (VecI)_mm512_set1_epi32(x); }
inline VecI load_int(const void* p) { return (VecI)_mm512_loadu_si512(p); }
inline VecI add_int(VecI a, VecI b) { return a + b; }
inline VecI min_int(VecI a, VecI b) { return (VecI)_mm512_min_epi32((__m512i)a, (__m512i)b); }
// a · b of each two 16-bit numbers.
inline VecI dot_pairs(VecI a, VecI b) { return (VecI)_mm512_madd_epi16((__m512i)a, (__m512i)b); }
// The products of unsigned x and signed w, each two summed in 16 bits.
inline VecI multiply_bytes(VecI x, VecI w) { return (VecI)_mm512_maddubs_epi16((__m512i)x, (__m512i)w); }
inline VecI add_int16(VecI a, VecI b) { return (VecI)_mm512_add_epi16((__m512i)a, (__m512i)b); }
inline bool any_bits(VecI x, int32_t mask) {
    return _mm512_test_epi32_mask((__m512i)x, _mm512_set1_epi32(mask)) != 0;
}
inline VecI round_to_int(VecF x) { return (VecI)_mm512_cvtps_epi32(x); }
inline void store_bytes(uint8_t* p, VecI x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm512_cvtusepi32_epi8(_mm512_max_epi32((__m512i)x, _mm512_setzero_si512())));
}

using VecD = __m512d;
constexpr int kProductRows = 8;  // 8 x 16 doubles: 16 accumulators, 2 panel vectors
inline VecD set_double(double x) { return _mm512_set1_pd(x); }
inline VecD load_double(const double* p) { return _mm512_loadu_pd(p); }
inline void store_double(double* p, VecD x) { _mm512_storeu_pd(p, x); }
inline VecD widen(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
inline VecD fma_double(VecD a, VecD b, VecD c) { return _mm512_fmadd_pd(a, b, c); }
// The sums of eight vectors' lanes: of neighbours, then of pairs, then of halves.
inline VecD double_sums(const VecD (&x)[8]) {
    VecD two[4];
    BERTHA_UNROLL
    for (int i = 0; i < 4; i++)
        two[i] = _mm512_add_pd(_mm512_unpacklo_pd(x[2 * i], x[2 * i + 1]),
                               _mm512_unpackhi_pd(x[2 * i], x[2 * i + 1]));
    VecD four[2];
    BERTHA_UNROLL
    for (int i = 0; i < 2; i++)
        four[i] = _mm512_add_pd(_mm512_shuffle_f64x2(two[2 * i], two[2 * i + 1], 0x88),
                                _mm512_shuffle_f64x2(two[2 * i], two[2 * i + 1], 0xdd));
    return _mm512_add_pd(_mm512_shuffle_f64x2(four[0], four[1], 0x88),
                         _mm512_shuffle_f64x2(four[0], four[1], 0xdd));
}
inline VecD quotient_or_zero(VecD a, VecD b) {
    return _mm512_maskz_div_pd(_mm512_cmp_pd_mask(b, _mm512_setzero_pd(), _CMP_NEQ_UQ), a, b);
}

typedef uint64_t VecL __attribute__((vector_size(64)));
inline VecL set_long(uint64_t x) { return VecL{x, x, x, x, x, x, x, x}; }
inline VecL count_long() { return VecL{0, 1, 2, 3, 4, 5, 6, 7}; }
inline VecL multiply_low_words(VecL a, VecL b) { return (VecL)_mm512_mul_epu32((__m512i)a, (__m512i)b); }
inline void store_interleaved(void* p, VecL a, VecL b) {
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
                  high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    uint64_t* out = static_cast<uint64_t*>(p);
    _mm512_storeu_si512(out, _mm512_permutex2var_epi64((__m512i)a, low, (__m512i)b));
    _mm512_storeu_si512(out + 8, _mm512_permutex2var_epi64((__m512i)a, high, (__m512i)b));
}
inline VecF load_uint16(const uint16_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}

template <int64_t kSums = kLanes>
inline VecF lane_sums(const float* p) {
    static_assert(kSums == 8 || kSums == kLanes, "whole halves");
    __m512 four[4];
    for (int i = 0; i < kSums / 4; i++, p += 4 * kLanes) {
        const __m512 a = _mm512_loadu_ps(p), b = _mm512_loadu_ps(p + 16), c = _mm512_loadu_ps(p + 32),
                     d = _mm512_loadu_ps(p + 48);
        const __m512d ab = _mm512_castps_pd(
                          _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b))),
                      cd = _mm512_castps_pd(
                          _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d)));
        four[i] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)),
                                _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)));
    }
    __m512 eight[2];
    for (int i = 0; i < kSums / 8; i++)
        eight[i] = _mm512_add_ps(_mm512_shuffle_f32x4(four[2 * i], four[2 * i + 1], 0x88),
                                 _mm512_shuffle_f32x4(four[2 * i], four[2 * i + 1], 0xdd));
    if (kSums == 8) eight[1] = eight[0];
    return _mm512_add_ps(_mm512_shuffle_f32x4(eight[0], eight[1], 0x88),
                         _mm512_shuffle_f32x4(eight[0], eight[1], 0xdd));
}
inline VecF inverse_sqrt(VecF x) {
    const VecF y = _mm512_rsqrt14_ps(x);
    return mul(y, sub(set(1.5f), mul(mul(set(0.5f), x), mul(y, y))));
}
