// Losses of rows of logits. Sums are in float64; what is not finite makes the loss so.

// The largest of a row, and 0, or NaN where one is not finite: max and exp would hide it.
struct Peak {
    float value, poison;
};

inline Peak peak_of_row(const float* x, int64_t width) {
    VecF top = set(-3.4e38f), poison = zero();
    for (int64_t i = 0; i < width; i += kLanes) {
        const int64_t n = width - i;
        const VecF value = load_lanes(x + i, n);
        top = max(top, n >= kLanes ? value : keep_first_or(value, n, top));
        poison = fma(value, zero(), poison);
    }
    return {largest(top), sum(poison)};
}

inline VecF softmax_power(VecF x, float peak, float inverse_temperature) {
    return exp2_clamped(mul(sub(x, set(peak)), set(inverse_temperature * kLog2E)));
}

// Σ e^((x - peak) / T), whose terms go to `powers` unless it is null; it may be x.
inline float sum_of_powers(const float* x, int64_t width, float peak, float inverse_temperature,
                           float* powers) {
    return sum_of_row(width, [&](int64_t i, int64_t n) {
        const VecF power = softmax_power(load_lanes(x + i, n), peak, inverse_temperature);
        if (powers != nullptr) store_lanes(powers + i, power, n);
        return power;
    });
}

// The target of a row is (1 - smoothing) w[label] at its label and smoothing / width · w everywhere: its sum
// times the log-sum-exp, less what it takes of the logits, is the loss. `more` adds to the gradient, from the
// logits, which the powers then may not overwrite.
template <bool kMore, typename More>
double cross_entropy_row(const CrossEntropyArgs& args, int64_t row, float share, const More& more) {
    const int64_t width = args.width, label = args.labels[row];
    const float *x = args.logits + row * width, *w = args.class_weights;
    float* grad = args.grad + row * width;
    const float everywhere = args.label_smoothing / static_cast<float>(width), scale = args.scale * share,
                at_label = (1.0f - args.label_smoothing) * (w != nullptr ? w[label] : 1.0f);
    const Peak peak = peak_of_row(x, width);
    float spread[2] = {0.0f, 0.0f};  // Σ w (peak - x), Σ w
    if (everywhere > 0.0f)
        sums_of_row<2>(
            width,
            [&](int64_t i, int64_t n, VecF(&terms)[2]) {
                terms[1] = w != nullptr ? load_lanes(w + i, n) : set(1.0f);
                terms[0] = mul(terms[1], sub(set(peak.value), load_lanes(x + i, n)));
            },
            spread);
    const double to_label = static_cast<double>(peak.value) - static_cast<double>(x[label]);
    const float powers = sum_of_powers(x, width, peak.value, 1.0f, kMore ? nullptr : grad);
    const float total = at_label + everywhere * spread[1];
    const VecF factor = set(total * scale / powers), each = set(everywhere * scale);
    for (int64_t i = 0; i < width; i += kLanes) {
        const int64_t n = width - i;
        const VecF target = w != nullptr ? mul(each, load_lanes(w + i, n)) : each;
        if constexpr (kMore) {
            const VecF power = softmax_power(load_lanes(x + i, n), peak.value, 1.0f);
            store_lanes(grad + i, add(sub(mul(power, factor), target), more(i, n)), n);
        } else {
            store_lanes(grad + i, sub(mul(load_lanes(grad + i, n), factor), target), n);
        }
    }
    grad[label] -= at_label * scale;
    return share * (static_cast<double>(total) * __builtin_log(static_cast<double>(powers)) +
                    at_label * to_label + static_cast<double>(everywhere) * spread[0] + peak.poison);
}

inline void no_grad(float* grad, int64_t width) {
    for (int64_t i = 0; i < width; i++) grad[i] = 0.0f;
}

double cross_entropy(const CrossEntropyArgs& args) {
    double loss = 0.0;
    for (int64_t row = 0; row < args.rows; row++) {
        if (args.labels[row] >= 0) {
            loss += cross_entropy_row<false>(args, row, 1.0f, nullptr);
        } else {
            no_grad(args.grad + row * args.width, args.width);
        }
    }
    return loss;
}

// Few columns, so in float64: max(x, 0) - x y + log(1 + e^-|x|) keeps every digit from -1e4 to 1e4.
double binary_cross_entropy(const ElementLossArgs& args) {
    double loss = 0.0;
    for (int64_t i = 0; i < args.rows * args.width; i++) {
        const double x = args.logits[i], target = args.targets[i];
        if (target != target) {
            args.grad[i] = 0.0f;
            continue;
        }
        const double e = __builtin_exp(-__builtin_fabs(x));
        const double probability = (x < 0.0 ? e : 1.0) / (1.0 + e);
        loss += (x < 0.0 ? 0.0 : x) - x * target + __builtin_log1p(e);
        args.grad[i] = static_cast<float>((probability - target) * args.scale);
    }
    return loss;
}

double mean_squared_error(const ElementLossArgs& args) {
    double loss = 0.0;
    for (int64_t i = 0; i < args.rows * args.width; i++) {
        const double target = args.targets[i];
        const double difference = target != target ? 0.0 : static_cast<double>(args.logits[i]) - target;
        loss += difference * difference;
        args.grad[i] = static_cast<float>(2.0 * difference * args.scale);
    }
    return loss;
}

// KL(t ‖ s) = Σ t ((teacher - its peak) - (logits - their peak)) / T - log(teacher's sum) + log(their sum);
// T² of it has the gradient T (s - t).
double distill(const DistillArgs& args) {
    const CrossEntropyArgs& hard = args.hard;
    const int64_t width = hard.width;
    const float inverse = 1.0f / args.temperature, share = 1.0f - args.alpha;
    const VecF scale = set(share * args.temperature * hard.scale);
    double loss = 0.0;
    for (int64_t row = 0; row < hard.rows; row++) {
        if (hard.labels[row] < 0) {
            no_grad(hard.grad + row * width, width);
            continue;
        }
        const float *x = hard.logits + row * width, *teacher = args.teacher + row * width;
        const Peak peak = peak_of_row(x, width), teacher_peak = peak_of_row(teacher, width);
        const float sum = sum_of_powers(x, width, peak.value, inverse, nullptr),
                    teacher_sum = sum_of_powers(teacher, width, teacher_peak.value, inverse, nullptr);
        const VecF factor = set(1.0f / sum), teacher_factor = set(1.0f / teacher_sum);
        const auto wanted = [&](int64_t i, int64_t n) {
            return mul(softmax_power(load_lanes(teacher + i, n), teacher_peak.value, inverse),
                       teacher_factor);
        };
        const float apart = sum_of_row(width, [&](int64_t i, int64_t n) {
            return mul(wanted(i, n), sub(sub(load_lanes(teacher + i, n), set(teacher_peak.value)),
                                         sub(load_lanes(x + i, n), set(peak.value))));
        });
        const double divergence = static_cast<double>(apart) * inverse +
                                  __builtin_log(static_cast<double>(sum)) -
                                  __builtin_log(static_cast<double>(teacher_sum));
        loss += share * args.temperature * args.temperature * divergence + peak.poison + teacher_peak.poison;
        loss += cross_entropy_row<true>(hard, row, args.alpha, [&](int64_t i, int64_t n) {
            const VecF found = mul(softmax_power(load_lanes(x + i, n), peak.value, inverse), factor);
            return mul(sub(found, wanted(i, n)), scale);
        });
    }
    return loss;
}
