// The portable lanes: four floats in the compiler's own vector type, so that any 128-bit unit (SSE2, NEON) or
// none will do. This file says what each function means; simd_avx2-inl.h and simd_avx512-inl.h define the
// same names. The kernels know only these.

typedef float VecF __attribute__((vector_size(16)));
typedef int32_t VecI __attribute__((vector_size(16)));
constexpr int64_t kLanes = 4;
constexpr int kTileRows = 4;  // register tile of a GEMM: rows x (vectors of kLanes columns)
constexpr int kTileVectors = 2;
constexpr int kInputLanes = 1;  // that an FMA can take from one register: fma_lane, where more than 1

inline VecF zero() { return VecF{0, 0, 0, 0}; }
inline VecF set(float x) { return VecF{x, x, x, x}; }
inline VecF load(const float* p) {
    VecF x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}
inline void store(float* p, VecF x) { __builtin_memcpy(p, &x, sizeof x); }
// The first n lanes from memory, the others zero; memory behind them is not touched. 0 < n <= kLanes
inline VecF load_first(const float* p, int64_t n) {
    VecF x = zero();
    for (int64_t i = 0; i < kLanes; i++)
        if (i < n) x[i] = p[i];
    return x;
}
inline void store_first(float* p, VecF x, int64_t n) {
    for (int64_t i = 0; i < kLanes; i++)
        if (i < n) p[i] = x[i];
}
// The first n lanes of x, the others zero (or those of `other`).
inline VecF keep_first_or(VecF x, int64_t n, VecF other) {
    for (int64_t i = n; i < kLanes; i++) x[i] = other[i];
    return x;
}
inline VecF keep_first(VecF x, int64_t n) { return keep_first_or(x, n, zero()); }
inline VecF add(VecF a, VecF b) { return a + b; }
inline VecF sub(VecF a, VecF b) { return a - b; }
inline VecF mul(VecF a, VecF b) { return a * b; }
inline VecF div(VecF a, VecF b) { return a / b; }
inline VecF sqrt(VecF x) {
    return VecF{__builtin_sqrtf(x[0]), __builtin_sqrtf(x[1]), __builtin_sqrtf(x[2]), __builtin_sqrtf(x[3])};
}
inline VecF fma(VecF a, VecF b, VecF c) { return a * b + c; }  // two roundings here, one on AVX2 and AVX-512
inline VecF select_less(VecF a, VecF b, VecF when_less, VecF otherwise) {
    return a < b ? when_less : otherwise;
}
inline VecF max(VecF a, VecF b) { return a > b ? a : b; }
inline VecF min(VecF a, VecF b) { return a < b ? a : b; }
inline VecF abs(VecF x) { return (VecF)((VecI)x & INT32_MAX); }
inline VecF copy_sign(VecF magnitude, VecF sign) {
    return (VecF)((VecI)magnitude | ((VecI)sign & INT32_MIN));
}
// To the nearest integer, halves to even; |x| < 2^22.
inline VecF round_even(VecF x) {
    const VecF magic = set(12582912.0f);
    return (x + magic) - magic;
}
inline VecI truncate(VecF x) { return __builtin_convertvector(x, VecI); }
inline VecF to_float(VecI x) { return __builtin_convertvector(x, VecF); }
// x * 2^n for integers -126 <= n <= 127
inline VecF scale_by_power(VecF x, VecF n) { return x * (VecF)((truncate(n) + 127) << 23); }
// table[index] for a table of eight
inline VecF lookup8(const float* table, VecI index) {
    return VecF{table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
}
inline float sum(VecF x) { return (x[0] + x[2]) + (x[1] + x[3]); }
inline float largest(VecF x) {
    const float a = x[0] > x[2] ? x[0] : x[2], b = x[1] > x[3] ? x[1] : x[3];
    return a > b ? a : b;
}
inline void prefetch(const void* p) { __builtin_prefetch(p); }
// dst[j][i] = src[i][j] for a block of kLanes x kLanes
inline void transpose(const float* src, int64_t src_stride, float* dst, int64_t dst_stride) {
    for (int64_t i = 0; i < kLanes; i++)
        for (int64_t j = 0; j < kLanes; j++) dst[j * dst_stride + i] = src[i * src_stride + j];
}

// Half floats, four at a time: round to nearest even; beyond 65504 becomes infinity.
inline float half_to_float(uint16_t bits) {
    const uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 0x1fu, mantissa = bits & 0x3ffu;
    uint32_t word = sign | 0x7f800000u | (mantissa << 13);
    if (exponent == 0) {
        const float magnitude = static_cast<float>(mantissa) * 5.9604644775390625e-8f;
        return sign != 0 ? -magnitude : magnitude;
    }
    if (exponent < 31) word = sign | ((exponent + 112) << 23) | (mantissa << 13);
    float x;
    __builtin_memcpy(&x, &word, sizeof x);
    return x;
}
inline uint16_t float_to_half(float x) {
    uint32_t word;
    __builtin_memcpy(&word, &x, sizeof word);
    const uint32_t sign = (word >> 16) & 0x8000u, magnitude = word & 0x7fffffffu;
    if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // rounds to 65536 or more
    if (magnitude < 0x38800000u) {  // a subnormal half: multiples of 2^-24
        const float scaled = __builtin_fabsf(x) * 16777216.0f + 8388608.0f;  // the addition rounds to even
        uint32_t rounded;
        __builtin_memcpy(&rounded, &scaled, sizeof rounded);
        return static_cast<uint16_t>(sign | (rounded & 0x7fffu));
    }
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}
inline VecF load_half(const uint16_t* p) {
    return VecF{half_to_float(p[0]), half_to_float(p[1]), half_to_float(p[2]), half_to_float(p[3])};
}
inline void store_half(uint16_t* p, VecF x) {
    for (int i = 0; i < 4; i++) p[i] = float_to_half(x[i]);
}
inline VecI zero_int() { return VecI{0, 0, 0, 0}; }
inline VecI set_int(int32_t x) { return VecI{x, x, x, x}; }
inline VecI load_int(const void* p) {
    VecI x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}
inline VecI add_int(VecI a, VecI b) { return a + b; }
inline VecI min_int(VecI a, VecI b) { return a < b ? a : b; }
inline VecI dot_pairs(VecI a, VecI b) {
    const VecI low = (a << 16 >> 16) * (b << 16 >> 16);
    return low + (a >> 16) * (b >> 16);
}
inline bool any_bits(VecI x, int32_t mask) { return ((x[0] | x[1] | x[2] | x[3]) & mask) != 0; }
inline VecI round_to_int(VecF x) {
    return truncate(round_even(x));
}  // to nearest, halves to even; |x| < 2^22
// Each lane clamped to 0 .. 255.
inline void store_bytes(uint8_t* p, VecI x) {
    for (int i = 0; i < 4; i++) p[i] = static_cast<uint8_t>(x[i] < 0 ? 0 : x[i] > 255 ? 255 : x[i]);
}

// Half as many lanes of float64.
typedef double VecD __attribute__((vector_size(16)));
constexpr int kProductRows = 4;  // register tile of products: rows x 2 VecD
inline VecD set_double(double x) { return VecD{x, x}; }
inline VecD load_double(const double* p) { return VecD{p[0], p[1]}; }
inline void store_double(double* p, VecD x) {
    p[0] = x[0];
    p[1] = x[1];
}
// The first lanes of float32 from memory, in float64.
inline VecD widen(const float* p) { return VecD{static_cast<double>(p[0]), static_cast<double>(p[1])}; }
// Rounded twice here: the same where the product of the factors is exact.
inline VecD fma_double(VecD a, VecD b, VecD c) { return a * b + c; }
// Lane i: the sum of the i-th vector.
inline VecD double_sums(const VecD (&x)[2]) { return VecD{x[0][0] + x[0][1], x[1][0] + x[1][1]}; }
// a / b, or 0 where b is 0
inline VecD quotient_or_zero(VecD a, VecD b) {
    return VecD{b[0] != 0.0 ? a[0] / b[0] : 0.0, b[1] != 0.0 ? a[1] / b[1] : 0.0};
}

// Half as many lanes of unsigned 64-bit numbers.
typedef uint64_t VecL __attribute__((vector_size(16)));
inline VecL set_long(uint64_t x) { return VecL{x, x}; }
// 0, 1, 2, ...
inline VecL count_long() { return VecL{0, 1}; }
// The 64-bit products of the low 32 bits.
inline VecL multiply_low_words(VecL a, VecL b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }
// a[0], b[0], a[1], b[1], ...
inline void store_interleaved(void* p, VecL a, VecL b) {
    const uint64_t words[4] = {a[0], b[0], a[1], b[1]};
    __builtin_memcpy(p, words, sizeof words);
}
// kLanes 16-bit numbers as floats.
inline VecF load_uint16(const uint16_t* p) { return to_float(VecI{p[0], p[1], p[2], p[3]}); }

// Lane i: the sum of the i-th of kSums vectors that lie one behind the other; more lanes hold whatever.
template <int64_t kSums = kLanes>
inline VecF lane_sums(const float* p) {
    static_assert(kSums == kLanes, "all of them");
    return VecF{sum(load(p)), sum(load(p + 4)), sum(load(p + 8)), sum(load(p + 12))};
}
// 1 / sqrt(x) for normal x > 0. Relative error 3e-7.
inline VecF inverse_sqrt(VecF x) { return div(set(1.0f), sqrt(x)); }
