// Elementary functions on VecF. Polynomials come from scripts/fit_polynomials.py, which prints their errors.

// 2^x for x <= 127; below -126 the result is 2^-126 instead of a denormal. Relative error 7.9e-8 (degree 6).
inline VecF exp2_clamped(VecF x) {
    x = max(x, set(-126.0f));
    const VecF n = round_even(x);
    const VecF f = sub(x, n);
    VecF p = set(1.546144485e-4f);
    p = fma(p, f, set(1.340042800e-3f));
    p = fma(p, f, set(9.618056938e-3f));
    p = fma(p, f, set(5.550327152e-2f));
    p = fma(p, f, set(2.402265072e-1f));
    p = fma(p, f, set(6.931471825e-1f));
    p = fma(p, f, set(1.0f));
    return scale_by_power(p, n);
}

// 2^y for -64 <= y < 63.5 with y = x · factor, never rounded by itself: no clamp, and less work than
// exp2_clamped. `seen` collects the whole parts of all y; outside_of_range(seen) tells whether one of them
// was too large, too small or no number, and its power is wrong then.
constexpr float kPowerRounder = 12582912.0f + 64.0f;  // 1.5 * 2^23: the low bits of a sum are its whole part

constexpr float kPowerUnit = 5.421010862e-20f;  // 2^-64, for those 64

// Unsigned: for a y out of range the sum may overflow, and the result is not used.
typedef uint32_t VecU __attribute__((vector_size(sizeof(VecI))));
inline VecF exp2_bits(VecF p, VecF whole) { return (VecF)((VecU)p + ((VecU)whole << 23)); }

inline void collect(VecI& seen, VecF whole) { seen |= (VecI)whole ^ (VecI)set(12582912.0f); }

inline bool outside_of_range(VecI seen) { return any_bits(seen, ~127); }

// Relative error 7.9e-8 (degree 6).
inline VecF exp2_in_range(VecF x, VecF factor, VecI& seen) {
    const VecF whole = fma(x, factor, set(kPowerRounder));
    collect(seen, whole);
    const VecF f = fma(x, factor, sub(set(kPowerRounder), whole));
    VecF p = set(1.546144485e-4f * kPowerUnit);
    p = fma(p, f, set(1.340042800e-3f * kPowerUnit));
    p = fma(p, f, set(9.618056938e-3f * kPowerUnit));
    p = fma(p, f, set(5.550327152e-2f * kPowerUnit));
    p = fma(p, f, set(2.402265072e-1f * kPowerUnit));
    p = fma(p, f, set(6.931471825e-1f * kPowerUnit));
    p = fma(p, f, set(kPowerUnit));
    return exp2_bits(p, whole);
}

constexpr float kLog2E = 1.44269504f;
constexpr float kLn2 = 0.693147181f;

// e^x, clamped to 2^±126.
inline VecF exp_clamped(VecF x) { return exp2_clamped(min(mul(x, set(kLog2E)), set(126.0f))); }

inline VecF sigmoid(VecF x) { return div(set(1.0f), add(set(1.0f), exp_clamped(sub(zero(), x)))); }

// Phi(t) - 0.5 on eight segments of [0, 5.6]; row = power of (t - centre), column = segment.
constexpr float kGeluLimit = 5.6f;
constexpr float kGeluSegment = 0.7f;
constexpr float kGeluTable[6][8] = {
    {1.368305087e-01f, 3.531408310e-01f, 4.599409103e-01f, 4.928572178e-01f, 4.991836250e-01f,
     4.999409318e-01f, 4.999973178e-01f, 4.999999106e-01f},
    {3.752401173e-01f, 2.298824042e-01f, 8.627738059e-02f, 1.983726211e-02f, 2.794244792e-03f,
     2.411365131e-04f, 1.275031627e-05f, 4.131658784e-07f},
    {-6.564636528e-02f, -1.206736118e-01f, -7.550340146e-02f, -2.430590056e-02f, -4.399547353e-03f,
     -4.632248019e-04f, -2.883493835e-05f, -1.070370672e-06f},
    {-5.486629158e-02f, 3.913141787e-03f, 2.965446189e-02f, 1.654414460e-02f, 4.155999515e-03f,
     5.549808266e-04f, 4.170514148e-05f, 1.811317247e-06f},
    {1.529247686e-02f, 1.876658946e-02f, -1.574101625e-04f, -5.968320649e-03f, -2.569849603e-03f,
     -4.778406292e-04f, -4.635550795e-05f, -2.505344810e-06f},
    {6.955125369e-03f, -4.402554594e-03f, -4.264899995e-03f, 4.327544011e-04f, 9.665430407e-04f,
     2.759007039e-04f, 3.475966150e-05f, 2.278012744e-06f},
};

// The same on 16 segments around the multiples of kGeluLimit / 15.
constexpr float kGeluTable16[5][16] = {
    {0.000000000e+00f, 1.455498040e-01f, 2.723675966e-01f, 3.686431050e-01f, 4.323250353e-01f,
     4.690259397e-01f, 4.874545336e-01f, 4.955168068e-01f, 4.985898137e-01f, 4.996102750e-01f,
     4.999055266e-01f, 4.999799430e-01f, 4.999962747e-01f, 4.999994040e-01f, 4.999999106e-01f,
     5.000000000e-01f},
    {1.489370465e-01f, 1.389115453e-01f, 1.127054319e-01f, 7.954654843e-02f, 4.883893952e-02f,
     2.608418278e-02f, 1.211857330e-02f, 4.897625651e-03f, 1.721769921e-03f, 5.265204236e-04f,
     1.400555047e-04f, 3.240586375e-05f, 6.521961495e-06f, 1.141710527e-06f, 1.738393109e-07f,
     0.000000000e+00f},
    {0.000000000e+00f, -9.680299088e-03f, -1.570832357e-02f, -1.663019508e-02f, -1.361397933e-02f,
     -9.088913910e-03f, -5.067286082e-03f, -2.389278961e-03f, -9.599798941e-04f, -3.302725090e-04f,
     -9.761964611e-05f, -2.484741890e-05f, -5.455807695e-06f, -1.034763955e-06f, -1.696951131e-07f,
     0.000000000e+00f},
    {-3.437283682e-03f, -2.761849202e-03f, -1.158625935e-03f, 4.582763067e-04f, 1.382164541e-03f,
     1.497758902e-03f, 1.129789278e-03f, 6.653681630e-04f, 3.193276643e-04f, 1.275469258e-04f,
     4.291527875e-05f, 1.225693723e-05f, 2.986940672e-06f, 6.233677254e-07f, 1.117163251e-07f,
     0.000000000e+00f},
    {0.000000000e+00f, 3.185496898e-04f, 4.424533399e-04f, 3.355981607e-04f, 1.224861771e-04f,
     -4.949573486e-05f, -1.175531070e-04f, -1.058938069e-04f, -6.613013829e-05f, -3.203139204e-05f,
     -1.256505311e-05f, -4.079741302e-06f, -1.110523044e-06f, -2.555194101e-07f, -4.997840009e-08f,
     0.000000000e+00f},
};

// The same with a lower degree, for results that are rounded to 8 bits or bf16.
constexpr float kRoundedGeluTable16[3][16] = {
    {0.000000000e+00f, 1.455448419e-01f, 2.723607421e-01f, 3.686380684e-01f, 4.323231280e-01f,
     4.690267146e-01f, 4.874563813e-01f, 4.955184758e-01f, 4.985908568e-01f, 4.996107817e-01f,
     4.999057055e-01f, 4.999800026e-01f, 4.999962747e-01f, 4.999994040e-01f, 4.999999106e-01f,
     5.000000000e-01f},
    {1.482928246e-01f, 1.383940279e-01f, 1.124888435e-01f, 7.963141054e-02f, 4.909789190e-02f,
     2.636491507e-02f, 1.233034860e-02f, 5.022344645e-03f, 1.781622763e-03f, 5.504253204e-04f,
     1.480980281e-04f, 3.470265074e-05f, 7.081614513e-06f, 1.258495217e-06f, 1.947661303e-07f,
     0.000000000e+00f},
    {0.000000000e+00f, -9.580795653e-03f, -1.557030343e-02f, -1.652614586e-02f, -1.357574575e-02f,
     -9.104387835e-03f, -5.104020238e-03f, -2.422368852e-03f, -9.806443704e-04f, -3.402818693e-04f,
     -1.015461239e-04f, -2.612233220e-05f, -5.802852229e-06f, -1.114617135e-06f, -1.853144340e-07f,
     0.000000000e+00f},
};

// Phi(t) - 0.5 for t >= 0. A template, so that each instruction set needs only its own lookup.
template <bool kRounded, typename Vec>
inline Vec half_phi(Vec t) {
    if constexpr (kLanes == 16) {
        constexpr int kDegree = kRounded ? 2 : 4;
        const auto* table = kRounded ? kRoundedGeluTable16 : kGeluTable16;
        // Adding 1.5 * 2^23 rounds to an integer, whose low bits then are those of the float.
        const Vec rounder = set(12582912.0f), scaled = min(t, set(kGeluLimit)),
                  segment = fma(scaled, set(15.0f / kGeluLimit), rounder);
        const Vec local = fma(scaled, set(15.0f / kGeluLimit), sub(rounder, segment));
        Vec p = lookup16(table[kDegree], segment);
        for (int power = kDegree - 1; power >= 0; power--) p = fma(p, local, lookup16(table[power], segment));
        return p;
    } else {
        const auto segment = truncate(min(mul(t, set(1.0f / kGeluSegment)), set(7.0f)));
        const Vec local = sub(t, mul(add(to_float(segment), set(0.5f)), set(kGeluSegment)));
        Vec p = lookup8(kGeluTable[5], segment);
        for (int power = 4; power >= 0; power--) p = fma(p, local, lookup8(kGeluTable[power], segment));
        return select_less(t, set(kGeluLimit), p, set(0.5f));
    }
}

// x Phi(x) = 0.5 x + |x| (Phi(|x|) - 0.5). Absolute error 3.7e-7; rounded, on 16 lanes: 1e-4.
template <bool kRounded>
inline VecF gelu(VecF x) {
    const VecF t = abs(x);
    return fma(t, half_phi<kRounded>(t), mul(x, set(0.5f)));
}
// Relative error 1.5e-7 below 0.625, absolute 1.2e-7 above.
inline VecF tanh(VecF x) {
    const VecF t = abs(x);
    const VecF u = mul(t, t);
    VecF q = set(-5.717032589e-3f);
    q = fma(q, u, set(2.065057494e-2f));
    q = fma(q, u, set(-5.374349281e-2f));
    q = fma(q, u, set(1.333149076e-1f));
    q = fma(q, u, set(-3.333328366e-1f));
    const VecF small = fma(mul(t, u), q, t);
    const VecF e = exp2_clamped(min(mul(t, set(2.0f * kLog2E)), set(126.0f)));
    const VecF large = sub(set(1.0f), div(set(2.0f), add(e, set(1.0f))));
    return copy_sign(select_less(set(0.625f), t, large, small), x);
}

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) = x sigmoid(2 sqrt(2 / pi) (...))
inline VecF gelu_tanh(VecF x) {
    const VecF cubic = mul(mul(x, x), mul(x, set(0.044715f)));
    return mul(x, sigmoid(mul(add(x, cubic), set(1.5957691216f))));
}

// x tanh(log(1 + e^x)) = x (n / (n + 2)) with n = e^x (e^x + 2); from 20 on it is x in float32.
inline VecF mish(VecF x) {
    const VecF e = exp_clamped(min(x, set(20.0f)));
    const VecF n = mul(e, add(e, set(2.0f)));
    return mul(x, div(n, add(n, set(2.0f))));
}

// What is not a number stays so: max and min return their second operand then, and a comparison is false.
template <Activation kActivation, bool kRounded>
inline VecF apply(VecF x) {
    switch (kActivation) {
        case Activation::kNone: return x;
        case Activation::kGelu: return gelu<kRounded>(x);
        case Activation::kGeluTanh: return gelu_tanh(x);
        case Activation::kRelu: return max(zero(), x);
        case Activation::kSilu: return mul(x, sigmoid(x));
        case Activation::kTanh: return tanh(x);
        case Activation::kSigmoid:
            return select_less(x, zero(), sigmoid(x), select_less(set(-1.0f), x, sigmoid(x), x));
        case Activation::kQuickGelu: return mul(x, sigmoid(mul(x, set(1.702f))));
        case Activation::kRelu6: return min(set(6.0f), max(zero(), x));
        case Activation::kReluSquared: return mul(max(zero(), x), max(zero(), x));
        case Activation::kLeakyRelu: return max(x, mul(x, set(0.01f)));
        case Activation::kMish: return mish(x);
    }
    return x;
}

template <Activation kActivation, bool kRounded = false>
void activate_as(float* x, int64_t count) {
    int64_t i = 0;
    for (; i + 4 * kLanes <= count; i += 4 * kLanes) {  // four chains at once hide the latency of the
                                                        // polynomials
        const VecF a = apply<kActivation, kRounded>(load(x + i)),
                   b = apply<kActivation, kRounded>(load(x + i + kLanes));
        const VecF c = apply<kActivation, kRounded>(load(x + i + 2 * kLanes)),
                   d = apply<kActivation, kRounded>(load(x + i + 3 * kLanes));
        store(x + i, a);
        store(x + i + kLanes, b);
        store(x + i + 2 * kLanes, c);
        store(x + i + 3 * kLanes, d);
    }
    for (; i + kLanes <= count; i += kLanes) store(x + i, apply<kActivation, kRounded>(load(x + i)));
    if (i < count) store_first(x + i, apply<kActivation, kRounded>(load_first(x + i, count - i)), count - i);
}

void activate(Activation activation, float* x, int64_t count) {
    switch (activation) {
        case Activation::kNone: return;
        case Activation::kGelu: return activate_as<Activation::kGelu>(x, count);
        case Activation::kGeluTanh: return activate_as<Activation::kGeluTanh>(x, count);
        case Activation::kRelu: return activate_as<Activation::kRelu>(x, count);
        case Activation::kSilu: return activate_as<Activation::kSilu>(x, count);
        case Activation::kTanh: return activate_as<Activation::kTanh>(x, count);
        case Activation::kSigmoid: return activate_as<Activation::kSigmoid>(x, count);
        case Activation::kQuickGelu: return activate_as<Activation::kQuickGelu>(x, count);
        case Activation::kRelu6: return activate_as<Activation::kRelu6>(x, count);
        case Activation::kReluSquared: return activate_as<Activation::kReluSquared>(x, count);
        case Activation::kLeakyRelu: return activate_as<Activation::kLeakyRelu>(x, count);
        case Activation::kMish: return activate_as<Activation::kMish>(x, count);
    }
}
