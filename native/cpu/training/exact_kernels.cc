#include "cpu/training/exact_kernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/isa/isa.h"

namespace bertha::cpu {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kDensityAt0 = 0.39894228040143267794;  // of the normal distribution
constexpr double kLog2E = 1.44269504088896340736;

double phi(double x) { return 0.5 * std::erfc(-x * kSqrtHalf); }

void activate(Activation activation, float* x, int64_t count) {
    if (activation != Activation::kGelu) return kernels().activate(activation, x, count);
    for (int64_t i = 0; i < count; i++) {
        const auto value = static_cast<double>(x[i]);
        x[i] = static_cast<float>(value * phi(value));
    }
}

void activation_grad(Activation activation, const float* u, const float* grad, float* grad_input,
                     float* recomputed, int64_t count) {
    if (activation != Activation::kGelu)
        return training_kernels().activation_grad(activation, u, grad, grad_input, recomputed, count);
    for (int64_t i = 0; i < count; i++) {
        const auto x = static_cast<double>(u[i]);
        const double slope = phi(x) + x * kDensityAt0 * std::exp(-0.5 * x * x);
        grad_input[i] = static_cast<float>(static_cast<double>(grad[i]) * slope);
        if (recomputed != nullptr) recomputed[i] = static_cast<float>(x * phi(x));
    }
}

// One row of one panel; sums [width].
void add_products(const float* input, const float* panel, int64_t k, int64_t width, double* sums) {
    for (int64_t i = 0; i < k; i++, panel += width) {
        const auto x = static_cast<double>(input[i]);
        for (int64_t column = 0; column < width; column++)
            sums[column] += x * static_cast<double>(panel[column]);
    }
}

void linear(const LinearArgs& args) {
    const MatrixFormat& format = kernels().fp32;
    const PackedMatrix& matrix = args.matrix;
    std::vector<double> sums(static_cast<size_t>(format.panel_width));
    for (int64_t panel = args.panel_begin; panel < args.panel_end; panel++) {
        const int64_t first = panel * format.panel_width,
                      columns = std::min(format.panel_width, matrix.n - first),
                      width = format.panel_bytes(columns, 1) / static_cast<int64_t>(sizeof(float));
        const auto* packed = reinterpret_cast<const float*>(static_cast<const uint8_t*>(matrix.panels) +
                                                            panel * matrix.panel_bytes);
        for (int64_t row = 0; row < args.rows; row++) {
            float* output = args.output + row * args.output_stride + first;
            std::fill(sums.begin(), sums.end(), 0.0);
            add_products(args.input + row * args.input_stride, packed, matrix.k, width, sums.data());
            for (int64_t i = 0; args.bias != nullptr && i < columns; i++)
                sums[static_cast<size_t>(i)] += static_cast<double>(args.bias[first + i]);
            if (args.activation != Activation::kNone) {
                for (int64_t i = 0; i < columns; i++)
                    output[i] = static_cast<float>(sums[static_cast<size_t>(i)]);
                activate(args.activation, output, columns);
                std::copy(output, output + columns, sums.begin());
            }
            const float* residual = args.residual;
            if (residual != nullptr) residual += row * args.output_stride + first;
            for (int64_t i = 0; i < columns; i++)
                output[i] = static_cast<float>(
                    sums[static_cast<size_t>(i)] +
                    (residual != nullptr ? static_cast<double>(residual[i]) : 0.0));
        }
    }
}

struct Moments {
    double mean, scale;  // 1 / deviation
};
Moments moments(const float* x, int64_t width, float eps) {
    double mean = 0.0, squares = 0.0;
    for (int64_t i = 0; i < width; i++) mean += static_cast<double>(x[i]);
    mean /= static_cast<double>(width);
    for (int64_t i = 0; i < width; i++) {
        const double d = static_cast<double>(x[i]) - mean;
        squares += d * d;
    }
    return {mean, 1.0 / std::sqrt(squares / static_cast<double>(width) + static_cast<double>(eps))};
}

void layer_norm(const float* x, const float* weight, const float* bias, float* out, int64_t rows,
                int64_t width, float eps) {
    for (int64_t row = 0; row < rows; row++, x += width, out += width) {
        const auto [mean, scale] = moments(x, width, eps);
        for (int64_t i = 0; i < width; i++) {
            const double y = (static_cast<double>(x[i]) - mean) * scale * static_cast<double>(weight[i]);
            out[i] = static_cast<float>(bias != nullptr ? y + static_cast<double>(bias[i]) : y);
        }
    }
}

void layer_norm_grad(const LayerNormGradArgs& args) {
    const int64_t width = args.width;
    const auto count = static_cast<double>(width);
    for (int64_t row = 0; row < args.rows; row++) {
        const float *x = args.input + row * width, *dy = args.grad_output + row * width;
        const auto [mean, scale] = moments(x, width, args.eps);
        float* stats = args.stats + row * kNormStats;
        stats[0] = static_cast<float>(mean);
        stats[1] = static_cast<float>(mean - static_cast<double>(stats[0]));
        stats[2] = static_cast<float>(scale);
        if (args.grad_input == nullptr) continue;
        double sum = 0.0, along = 0.0;
        for (int64_t i = 0; i < width; i++) {
            const double g = static_cast<double>(dy[i]) * static_cast<double>(args.weight[i]);
            sum += g;
            along += g * (static_cast<double>(x[i]) - mean) * scale;
        }
        for (int64_t i = 0; i < width; i++) {
            const double normed = (static_cast<double>(x[i]) - mean) * scale,
                         g = static_cast<double>(dy[i]) * static_cast<double>(args.weight[i]),
                         grad = (g - sum / count - normed * along / count) * scale;
            const float* residual = args.residual;
            args.grad_input[row * width + i] = static_cast<float>(
                residual != nullptr ? grad + static_cast<double>(residual[row * width + i]) : grad);
        }
    }
}

double dot(const float* a, const float* b, int64_t count) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

void attention_train(const AttentionTrainArgs& args) {
    const AttentionArgs& forward = args.forward;
    const bool is_plain = forward.rotary == nullptr && forward.content_to_position == nullptr &&
                          forward.position_to_content == nullptr && forward.window == 0 && !forward.causal &&
                          args.dropout.threshold == 0;
    if (!is_plain) return training_kernels().attention_train(args);
    std::vector<double> powers(static_cast<size_t>(forward.num_keys)),
        context(static_cast<size_t>(forward.head_dim));
    for (int64_t query = 0; query < forward.seq_len; query++) {
        for (int64_t key = 0; key < forward.num_keys; key++) {
            const double score = dot(forward.query + query * forward.query_stride,
                                     forward.key + key * forward.key_stride, forward.head_dim);
            const float* bias = forward.relative_bias;
            powers[static_cast<size_t>(key)] = score * static_cast<double>(forward.softmax_scale) +
                                               (bias != nullptr ? static_cast<double>(
                                                                      bias[forward.seq_len - 1 + key - query])
                                                                : 0.0);
        }
        const double most = *std::max_element(powers.begin(), powers.end());
        double sum = 0.0;
        for (double& power : powers) sum += power = std::exp(power - most);
        args.row_lse[query * args.lse_stride] = static_cast<float>((most + std::log(sum)) * kLog2E);
        std::fill(context.begin(), context.end(), 0.0);
        for (int64_t key = 0; key < forward.num_keys; key++) {
            const float* value = forward.value + key * forward.value_stride;
            for (int64_t i = 0; i < forward.head_dim; i++)
                context[static_cast<size_t>(i)] += powers[static_cast<size_t>(key)] *
                                                   static_cast<double>(value[i]);
        }
        float* out = forward.context + query * forward.hidden_size;
        for (int64_t i = 0; i < forward.head_dim; i++)
            out[i] = static_cast<float>(context[static_cast<size_t>(i)] / sum);
    }
}

}  // namespace

const KernelTable& exact_kernels() {
    static const KernelTable table = [] {
        KernelTable exact = kernels();
        exact.fp32.linear = linear;
        exact.layer_norm = layer_norm;
        exact.activate = activate;
        return exact;
    }();
    return table;
}

const TrainingKernels& exact_training_kernels() {
    static const TrainingKernels table = [] {
        TrainingKernels exact = training_kernels();
        exact.activation_grad = activation_grad;
        exact.layer_norm_grad = layer_norm_grad;
        exact.attention_train = attention_train;
        return exact;
    }();
    return table;
}

}  // namespace bertha::cpu
