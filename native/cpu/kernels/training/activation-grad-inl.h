// Derivatives of the activations, from what went into them. Absolute error below 1e-6. Where a factor far
// from 0 meets one that underflows, x is clamped to a range outside which the derivative is constant in
// float32. What is not a number stays so, as in math-inl.h.

inline VecF clamp(VecF x, float limit) { return min(set(limit), max(set(-limit), x)); }

// sigmoid(z) and 1 - sigmoid(z), each with a small relative error.
struct Sigmoids {
    VecF up, down;
};
inline Sigmoids sigmoids(VecF z) {
    const VecF e = exp_clamped(sub(zero(), z)), up = div(set(1.0f), add(set(1.0f), e));
    return {up, mul(e, up)};
}

// Φ(x) + x φ(x)
inline VecF gelu_grad(VecF x) {
    const VecF t = abs(x), phi = add(set(0.5f), copy_sign(half_phi<false>(t), x));
    const VecF power = exp2_clamped(mul(mul(t, t), set(-0.5f * kLog2E)));
    const VecF density = mul(select_less(t, set(14.0f), power, zero()), set(0.398942280f));
    return fma(x, density, phi);
}

// s + x s (1 - s) z' with s = sigmoid(z), z = 2 sqrt(2 / pi) (x + 0.044715 x³)
inline VecF gelu_tanh_grad(VecF x) {
    const VecF c = clamp(x, 10.0f), square = mul(c, c);
    const VecF z = mul(fma(mul(square, c), set(0.044715f), c), set(1.5957691216f));
    const VecF slope = fma(square, set(3.0f * 0.044715f * 1.5957691216f), set(1.5957691216f));
    const Sigmoids s = sigmoids(z);
    return fma(mul(mul(c, slope), s.down), s.up, s.up);
}

// Of x sigmoid(x): s (1 + x (1 - s))
inline VecF silu_grad(VecF x) {
    const VecF c = clamp(x, 80.0f);
    const Sigmoids s = sigmoids(c);
    return mul(s.up, fma(c, s.down, set(1.0f)));
}

// w + x 4 e (1 + e) / (n + 2)² with e = e^x, n = e (e + 2), w = n / (n + 2)
inline VecF mish_grad(VecF x) {
    const VecF c = clamp(x, 20.0f), e = exp_clamped(c), n = mul(e, add(e, set(2.0f)));
    const VecF inverse = div(set(1.0f), add(n, set(2.0f)));
    const VecF slope = mul(mul(mul(set(4.0f), e), inverse), mul(add(set(1.0f), e), inverse));
    return fma(c, slope, mul(n, inverse));
}

template <Activation kActivation>
inline VecF derivative(VecF x) {
    switch (kActivation) {
        case Activation::kNone: return set(1.0f);
        case Activation::kGelu: return gelu_grad(x);
        case Activation::kGeluTanh: return gelu_tanh_grad(x);
        case Activation::kRelu: return select_less(zero(), x, set(1.0f), zero());
        case Activation::kSilu: return silu_grad(x);
        case Activation::kTanh: {
            const VecF y = tanh(x);
            return sub(set(1.0f), mul(y, y));
        }
        case Activation::kSigmoid: {
            const Sigmoids s = sigmoids(x);
            return mul(s.up, s.down);
        }
        case Activation::kQuickGelu: return silu_grad(mul(x, set(1.702f)));
        case Activation::kRelu6:
            return select_less(zero(), x, select_less(x, set(6.0f), set(1.0f), zero()), zero());
        case Activation::kReluSquared: return mul(max(zero(), x), set(2.0f));
        case Activation::kLeakyRelu: return select_less(zero(), x, set(1.0f), set(0.01f));
        case Activation::kMish: return mish_grad(x);
    }
    return x;
}

template <Activation kActivation>
void activation_grad_as(const float* u, const float* grad, float* grad_input, float* recomputed,
                        int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) {
        const int64_t n = count - i;
        const VecF x = load_lanes(u + i, n);
        store_lanes(grad_input + i, mul(load_lanes(grad + i, n), derivative<kActivation>(x)), n);
        if (recomputed != nullptr) store_lanes(recomputed + i, apply<kActivation, false>(x), n);
    }
}

void activation_grad(Activation activation, const float* u, const float* grad, float* grad_input,
                     float* recomputed, int64_t count) {
    const auto run = [&](auto as) { as(u, grad, grad_input, recomputed, count); };
    switch (activation) {
        case Activation::kNone: return run(activation_grad_as<Activation::kNone>);
        case Activation::kGelu: return run(activation_grad_as<Activation::kGelu>);
        case Activation::kGeluTanh: return run(activation_grad_as<Activation::kGeluTanh>);
        case Activation::kRelu: return run(activation_grad_as<Activation::kRelu>);
        case Activation::kSilu: return run(activation_grad_as<Activation::kSilu>);
        case Activation::kTanh: return run(activation_grad_as<Activation::kTanh>);
        case Activation::kSigmoid: return run(activation_grad_as<Activation::kSigmoid>);
        case Activation::kQuickGelu: return run(activation_grad_as<Activation::kQuickGelu>);
        case Activation::kRelu6: return run(activation_grad_as<Activation::kRelu6>);
        case Activation::kReluSquared: return run(activation_grad_as<Activation::kReluSquared>);
        case Activation::kLeakyRelu: return run(activation_grad_as<Activation::kLeakyRelu>);
        case Activation::kMish: return run(activation_grad_as<Activation::kMish>);
    }
}

// The gate's function is computed again beside its derivative, in the place of the other factor's gradient.
void gate_grad(Activation activation, const float* x, const float* grad, float* grad_input, int64_t rows,
               int64_t width) {
    for (int64_t row = 0; row < rows; row++, x += 2 * width, grad += width, grad_input += 2 * width) {
        float* other = grad_input + width;
        multiply_rows(grad, x + width, grad_input, width);
        activation_grad(activation, x, grad_input, grad_input, other, width);
        multiply_rows(grad, other, other, width);
    }
}
