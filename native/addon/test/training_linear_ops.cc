#include "addon/test/training_linear_ops.h"

#include "addon/args.h"
#include "cpu/isa/isa.h"
#include "engine/allocator.h"
#include "engine/floating_point.h"

namespace bertha::addon {
namespace {

using cpu::KernelTable;
using cpu::TrainingKernels;

void check_count(size_t count, int64_t expected, const char* name) {
    BERTHA_CHECK(static_cast<int64_t>(count) == expected, "INVALID_ARG",
                 "expected %lld values in %s, got %zu", static_cast<long long>(expected), name, count);
}

// Panels of a matrix [n, k] as the product reads them.
struct Panels {
    int64_t n, k, width, count;
    std::vector<float> values;

    Panels(int64_t n, int64_t k)
        : n(n),
          k(k),
          width(cpu::kernels().fp32.panel_width),
          count((n + width - 1) / width),
          values(static_cast<size_t>((count + 4) * width * k), 0.0f) {}

    float* panel(int64_t index) { return values.data() + index * width * k; }

    static Panels of(const std::vector<float>& matrix, int64_t n, int64_t k) {
        Panels panels(n, k);
        for (int64_t i = 0; i < panels.count; i++)
            cpu::kernels().fp32.pack_panel(matrix.data() + i * panels.width * k,
                                           std::min(panels.width, n - i * panels.width), k, nullptr,
                                           panels.panel(i));
        return panels;
    }

    std::vector<float> unpack() {
        std::vector<float> matrix(static_cast<size_t>(n * k));
        const int64_t lanes = cpu::kernels().lanes;
        for (int64_t row = 0; row < n; row++) {
            const int64_t first = row / width * width,
                          stride = (std::min(width, n - first) + lanes - 1) / lanes * lanes;
            for (int64_t i = 0; i < k; i++)
                matrix[static_cast<size_t>(row * k + i)] = panel(row / width)[i * stride + row - first];
        }
        return matrix;
    }
};

std::vector<float> grad_input(const std::vector<float>& weight, const std::vector<float>& grad_output,
                              int64_t m, int64_t n, int64_t k) {
    Panels panels = Panels::of(weight, n, k), transposed(k, n);
    for (int64_t i = 0; i < transposed.count; i++)
        cpu::training_kernels().transpose_panel(panels.panel(0), n, k, i, transposed.panel(i));
    std::vector<float> output(static_cast<size_t>(m * k));
    cpu::LinearArgs args;
    args.input = grad_output.data();
    args.input_stride = n;
    args.matrix = {transposed.panel(0), transposed.width * n * 4, k, n};
    args.output = output.data();
    args.output_stride = k;
    args.rows = m;
    args.panel_end = transposed.count;
    cpu::kernels().fp32.linear(args);
    return output;
}

// k in `parts` parts, as threads would share it.
std::vector<float> grad_weight(const std::vector<float>& input, const std::vector<float>& grad_output,
                               int64_t m, int64_t n, int64_t k, int64_t parts) {
    const TrainingKernels& training = cpu::training_kernels();
    Panels grad(n, k);
    std::vector<float> scratch(static_cast<size_t>(training.linear_grad_weight_scratch(k)));
    for (int64_t panel = 0; panel < grad.count; panel++) {
        for (int64_t part = 0; part < parts; part++) {
            cpu::LinearGradWeightArgs args;
            args.input = input.data();
            args.grad_output = grad_output.data();
            args.grad = grad.panel(0);
            args.scratch = scratch.data();
            args.rows = m;
            args.n = n;
            args.k = k;
            args.input_stride = k;
            args.grad_stride = n;
            args.panel = panel;
            args.k_begin = k * part / parts;
            args.k_end = k * (part + 1) / parts;
            training.linear_grad_weight(args);
        }
    }
    return grad.unpack();
}

// linearGrad(input [m,k], weight [n,k], gradOutput [m,n], m, n, k, parts):
// { input [m,k], weight [n,k], bias [n] }
Napi::Value linear_grad(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> input = to_floats(info[0], "input"), weight = to_floats(info[1], "weight"),
                                 grad_output = to_floats(info[2], "gradOutput");
        const int64_t m = to_int(info[3], "m", 1, 1 << 20), n = to_int(info[4], "n", 1, 1 << 20),
                      k = to_int(info[5], "k", 1, 1 << 20), parts = to_int(info[6], "parts", 1, k);
        check_count(input.size(), m * k, "input");
        check_count(weight.size(), n * k, "weight");
        check_count(grad_output.size(), m * n, "gradOutput");
        const FlushDenormals flush;
        const std::vector<float> of_input = grad_input(weight, grad_output, m, n, k),
                                 of_weight = grad_weight(input, grad_output, m, n, k, parts);
        std::vector<float> of_bias(static_cast<size_t>(n), 0.0f);
        for (int64_t part = 0; part < std::min(parts, n); part++)
            cpu::training_kernels().column_sums(grad_output.data(), m, n, n * part / std::min(parts, n),
                                                n * (part + 1) / std::min(parts, n), of_bias.data());
        Napi::Object result = Napi::Object::New(info.Env());
        result.Set("input", from_floats(info.Env(), of_input.data(), of_input.size()));
        result.Set("weight", from_floats(info.Env(), of_weight.data(), of_weight.size()));
        result.Set("bias", from_floats(info.Env(), of_bias.data(), of_bias.size()));
        return result;
    });
}

}  // namespace

void define_training_linear_ops(Napi::Env env, Napi::Object& ops) {
    ops.Set("linearGrad", Napi::Function::New(env, linear_grad));
}

}  // namespace bertha::addon
