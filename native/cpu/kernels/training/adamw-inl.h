// The norm of gradients and the update of weights.

// In four chains, whose order depends on the count alone. The square of a float32 is exact in float64.
double sum_of_squares(const float* x, int64_t count) {
    VecD sums[4] = {set_double(0.0), set_double(0.0), set_double(0.0), set_double(0.0)};
    constexpr int64_t kHalf = kLanes / 2;
    int64_t i = 0;
    for (; i + 4 * kHalf <= count; i += 4 * kHalf)
        for (int j = 0; j < 4; j++) {
            const VecD value = widen(x + i + j * kHalf);
            sums[j] = fma_double(value, value, sums[j]);
        }
    double lanes[4 * kHalf], total = 0.0;
    for (int j = 0; j < 4; j++) store_double(lanes + j * kHalf, sums[j]);
    for (int64_t lane = 0; lane < 4 * kHalf; lane++) total += lanes[lane];
    for (; i < count; i++) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return total;
}

// torch.optim.AdamW. Each number by itself, always by vector instructions: no cut of a range changes a bit.
// The decay is taken from p as lr · wd · p, since 1 - lr · wd has few digits left in float32.
class Adamw {
public:
    explicit Adamw(const AdamwArgs& args)
        : grad_scale_(set(args.grad_scale)),
          keep_m_(set(static_cast<float>(1.0 - args.beta1))),
          beta2_(set(static_cast<float>(args.beta2))),
          keep_v_(set(static_cast<float>(1.0 - args.beta2))),
          decay_(set(static_cast<float>(-args.learning_rate * args.weight_decay))),
          step_(set(static_cast<float>(-args.learning_rate / args.bias_correction1))),
          inverse_root_(set(static_cast<float>(1.0 / __builtin_sqrt(args.bias_correction2)))),
          epsilon_(set(static_cast<float>(args.epsilon))) {}

    void update(VecF gradient, VecF& value, VecF& m, VecF& v) const {
        const VecF g = mul(gradient, grad_scale_);
        m = fma(keep_m_, sub(g, m), m);
        v = fma(keep_v_, mul(g, g), mul(beta2_, v));
        const VecF decayed = fma(decay_, value, value);
        const VecF denominator = fma(sqrt(v), inverse_root_, epsilon_);
        value = fma(step_, div(m, denominator), decayed);
    }

private:
    const VecF grad_scale_, keep_m_, beta2_, keep_v_, decay_, step_, inverse_root_, epsilon_;
};

void adamw(const AdamwArgs& args) {
    const Adamw adamw(args);
    for (int64_t i = 0; i < args.count; i += kLanes) {
        const int64_t n = args.count - i;
        VecF value = load_lanes(args.value + i, n), m = load_lanes(args.m + i, n),
             v = load_lanes(args.v + i, n);
        adamw.update(args.grad != nullptr ? load_lanes(args.grad + i, n) : zero(), value, m, v);
        store_lanes(args.value + i, value, n);
        store_lanes(args.m + i, m, n);
        store_lanes(args.v + i, v, n);
    }
}
