// 4 lanes of arm64's NEON. See simd_scalar-inl.h for what each function means.

using VecF = float32x4_t;
using VecI = int32x4_t;
constexpr int64_t kLanes = 4;
// 6 x 16 by lane: 24 accumulators, 6 rows' inputs and two panel vectors are the 32 registers. g++ keeps to
// them where the files that include this turn its first scheduling off.
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;
// A broadcast from memory takes a vector pipe as well as a load here; an FMA by a lane takes neither.
constexpr int kInputLanes = 4;

inline VecF zero() { return vdupq_n_f32(0.0f); }
inline VecF set(float x) { return vdupq_n_f32(x); }
inline VecF load(const float* p) { return vld1q_f32(p); }
inline void store(float* p, VecF x) { vst1q_f32(p, x); }
inline VecF load_first(const float* p, int64_t n) {
    if (n >= 4) return vld1q_f32(p);
    if (n == 1) return vsetq_lane_f32(p[0], zero(), 0);
    const VecF two = vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
    return n == 2 ? two : vsetq_lane_f32(p[2], two, 2);
}
inline void store_first(float* p, VecF x, int64_t n) {
    if (n >= 4) return vst1q_f32(p, x);
    if (n & 2) vst1_f32(p, vget_low_f32(x));
    if (n == 1) p[0] = vgetq_lane_f32(x, 0);
    if (n == 3) p[2] = vgetq_lane_f32(x, 2);
}
inline uint32x4_t first_lanes(int64_t n) {
    static constexpr int32_t kIndex[4] = {0, 1, 2, 3};
    return vcgtq_s32(vdupq_n_s32(static_cast<int32_t>(n)), vld1q_s32(kIndex));
}
inline VecF keep_first_or(VecF x, int64_t n, VecF other) { return vbslq_f32(first_lanes(n), x, other); }
inline VecF keep_first(VecF x, int64_t n) { return keep_first_or(x, n, zero()); }
inline VecF add(VecF a, VecF b) { return vaddq_f32(a, b); }
inline VecF sub(VecF a, VecF b) { return vsubq_f32(a, b); }
inline VecF mul(VecF a, VecF b) { return vmulq_f32(a, b); }
inline VecF div(VecF a, VecF b) { return vdivq_f32(a, b); }
inline VecF sqrt(VecF x) { return vsqrtq_f32(x); }
inline VecF fma(VecF a, VecF b, VecF c) { return vfmaq_f32(c, a, b); }
// a times one lane of b, plus c; the lane is an integral_constant.
template <typename Lane>
inline VecF fma_lane(VecF a, VecF b, Lane, VecF c) {
    return vfmaq_laneq_f32(c, a, b, Lane::value);
}
inline VecF select_less(VecF a, VecF b, VecF when_less, VecF otherwise) {
    return vbslq_f32(vcltq_f32(a, b), when_less, otherwise);
}
// FMAX and FMIN would return what is not a number; here it is the second operand, as on x86.
inline VecF max(VecF a, VecF b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
inline VecF min(VecF a, VecF b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
inline VecF abs(VecF x) { return vabsq_f32(x); }
inline VecF copy_sign(VecF magnitude, VecF sign) {
    return vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(magnitude),
                                           vandq_u32(vreinterpretq_u32_f32(sign), vdupq_n_u32(1u << 31))));
}
inline VecF round_even(VecF x) { return vrndnq_f32(x); }
inline VecI truncate(VecF x) { return vcvtq_s32_f32(x); }
inline VecF to_float(VecI x) { return vcvtq_f32_s32(x); }
inline VecF scale_by_power(VecF x, VecF n) {
    const VecI exponent = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(x, vreinterpretq_f32_s32(exponent));
}
// By bytes: of index i those from 4 i on.
inline VecF lookup8(const float* table, VecI index) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(table);
    const uint8x16x2_t eight = {{vld1q_u8(bytes), vld1q_u8(bytes + 16)}};
    const VecI places = vmlaq_s32(vdupq_n_s32(0x03020100), index, vdupq_n_s32(0x04040404));
    return vreinterpretq_f32_u8(vqtbl2q_u8(eight, vreinterpretq_u8_s32(places)));
}
inline float sum(VecF x) {
    const float32x2_t two = vadd_f32(vget_low_f32(x), vget_high_f32(x));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
inline float largest(VecF x) {
    const VecF two = max(x, vextq_f32(x, x, 2));
    return vgetq_lane_f32(max(two, vextq_f32(two, two, 1)), 0);
}
inline void prefetch(const void* p) { __builtin_prefetch(p); }
// The 64-bit halves of two registers: both low ones, both high ones.
inline VecF low_halves(VecF a, VecF b) {
    return vreinterpretq_f32_f64(vtrn1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}
inline VecF high_halves(VecF a, VecF b) {
    return vreinterpretq_f32_f64(vtrn2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}
inline void transpose(const float* src, int64_t src_stride, float* dst, int64_t dst_stride) {
    const VecF a = load(src), b = load(src + src_stride), c = load(src + 2 * src_stride),
               d = load(src + 3 * src_stride);
    const VecF even_ab = vtrn1q_f32(a, b), odd_ab = vtrn2q_f32(a, b), even_cd = vtrn1q_f32(c, d),
               odd_cd = vtrn2q_f32(c, d);
    store(dst, low_halves(even_ab, even_cd));
    store(dst + dst_stride, low_halves(odd_ab, odd_cd));
    store(dst + 2 * dst_stride, high_halves(even_ab, even_cd));
    store(dst + 3 * dst_stride, high_halves(odd_ab, odd_cd));
}

inline VecF load_half(const uint16_t* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
inline void store_half(uint16_t* p, VecF x) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x))); }
inline VecI zero_int() { return vdupq_n_s32(0); }
inline VecI set_int(int32_t x) { return vdupq_n_s32(x); }
inline VecI load_int(const void* p) { return vreinterpretq_s32_u8(vld1q_u8(static_cast<const uint8_t*>(p))); }
inline VecI add_int(VecI a, VecI b) { return vaddq_s32(a, b); }
inline VecI min_int(VecI a, VecI b) { return vminq_s32(a, b); }
inline VecI dot_pairs(VecI a, VecI b) {
    const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
    return vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
}
inline bool any_bits(VecI x, int32_t mask) {
    return vmaxvq_u32(vreinterpretq_u32_s32(vandq_s32(x, vdupq_n_s32(mask)))) != 0;
}
inline VecI round_to_int(VecF x) { return vcvtnq_s32_f32(x); }
inline uint32_t clamped_bytes(VecI x) {
    const uint16x4_t words = vqmovun_s32(x);
    return vget_lane_u32(vreinterpret_u32_u8(vqmovn_u16(vcombine_u16(words, words))), 0);
}
inline void store_bytes(uint8_t* p, VecI x) {
    const uint32_t four = clamped_bytes(x);
    __builtin_memcpy(p, &four, sizeof four);
}

using VecD = float64x2_t;
constexpr int kProductRows = 6;  // 6 x 4 doubles: 12 accumulators, 2 panel vectors, a broadcast
inline VecD set_double(double x) { return vdupq_n_f64(x); }
inline VecD load_double(const double* p) { return vld1q_f64(p); }
inline void store_double(double* p, VecD x) { vst1q_f64(p, x); }
inline VecD widen(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
inline VecD fma_double(VecD a, VecD b, VecD c) { return vfmaq_f64(c, a, b); }
inline VecD double_sums(const VecD (&x)[2]) { return vpaddq_f64(x[0], x[1]); }
inline VecD quotient_or_zero(VecD a, VecD b) {
    const uint64x2_t is_zero = vceqzq_f64(b);
    return vreinterpretq_f64_u64(vbicq_u64(vreinterpretq_u64_f64(vdivq_f64(a, b)), is_zero));
}

using VecL = uint64x2_t;
inline VecL set_long(uint64_t x) { return vdupq_n_u64(x); }
inline VecL count_long() { return vcombine_u64(vcreate_u64(0), vcreate_u64(1)); }
inline VecL multiply_low_words(VecL a, VecL b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
inline void store_interleaved(void* p, VecL a, VecL b) {
    uint64_t* out = static_cast<uint64_t*>(p);
    vst1q_u64(out, vzip1q_u64(a, b));
    vst1q_u64(out + 2, vzip2q_u64(a, b));
}
inline VecF load_uint16(const uint16_t* p) { return vcvtq_f32_u32(vmovl_u16(vld1_u16(p))); }

template <int64_t kSums = kLanes>
inline VecF lane_sums(const float* p) {
    static_assert(kSums == kLanes, "all of them");
    return vpaddq_f32(vpaddq_f32(load(p), load(p + 4)), vpaddq_f32(load(p + 8), load(p + 12)));
}
inline VecF inverse_sqrt(VecF x) { return vdivq_f32(set(1.0f), vsqrtq_f32(x)); }
