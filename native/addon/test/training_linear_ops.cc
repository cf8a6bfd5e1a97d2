#include "addon/test/training_linear_ops.h"

#include <optional>

#include "addon/test/attention_case.h"
#include "addon/test/op_args.h"
#include "cpu/isa/isa.h"
#include "engine/allocator.h"
#include "engine/floating_point.h"
#include "engine/program/program.h"

namespace bertha::addon {
namespace {

using cpu::KernelTable;
using cpu::TrainingKernels;

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

// The kernels of bf16 products: those in use here, or AVX-512's by name, 'instruction' or 'fma'.
struct Bf16 {
    const cpu::MatrixFormat& format;
    const cpu::Bf16TrainingKernels& training;

    static Bf16 of(const Napi::Value& value) {
        const cpu::MatrixFormat& format = cpu::format_for(cpu::kernels(), "bf16");
        if (!value.IsString()) return {format, cpu::bf16_training_kernels()};
        const cpu::Bf16Products products = to_string(value, "bf16") == "fma"
                                               ? cpu::Bf16Products::kFma
                                               : cpu::Bf16Products::kInstruction;
        BERTHA_CHECK(cpu::avx512_bf16_kernels(products) != nullptr, "PRECISION",
                     "kernels of bf16 by name: expected x86-64");
        return {cpu::avx512_bf16_kernels(products)->format, *cpu::avx512_bf16_training_kernels(products)};
    }
};

// dX with bf16 products; `transposed` false: Y = X Wᵀ, input [m, k], instead.
std::vector<float> bf16_product(const Bf16& kernels, const std::vector<float>& weight,
                                const std::vector<float>& input, int64_t m, int64_t n, int64_t k,
                                bool transposed) {
    const cpu::Bf16TrainingKernels& training = kernels.training;
    const cpu::MatrixFormat& format = kernels.format;
    Panels master = Panels::of(weight, n, k);
    const int64_t rows = transposed ? k : n, depth = transposed ? n : k, width = format.panel_width,
                  panels = (rows + width - 1) / width, bytes = format.panel_bytes(width, depth);
    const Buffer packed(static_cast<size_t>(panels * bytes));
    for (int64_t i = 0; i < panels; i++)
        (transposed ? training.round_transposed_panel : training.round_panel)(
            master.panel(0), n, k, i, packed.as<uint8_t>() + i * bytes);
    std::vector<uint8_t> prepared(static_cast<size_t>(m * format.row_bytes(depth)));
    format.prepare_rows(input.data(), depth, m, depth, nullptr, prepared.data());
    std::vector<float> output(static_cast<size_t>(m * rows));
    cpu::LinearArgs args;
    args.prepared = prepared.data();
    args.matrix = {packed.as<uint8_t>(), bytes, rows, depth};
    args.output = output.data();
    args.output_stride = rows;
    args.rows = m;
    args.panel_end = panels;
    format.linear(args);
    return output;
}

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

// k in `parts` parts, as threads would share it, and as many panels at a time.
std::vector<float> grad_weight(const std::vector<float>& input, const std::vector<float>& grad_output,
                               int64_t m, int64_t n, int64_t k, int64_t parts,
                               const cpu::Bf16TrainingKernels* bf16) {
    const auto product = bf16 != nullptr ? bf16->linear_grad_weight
                                         : cpu::training_kernels().linear_grad_weight;
    const int64_t scratch_floats = bf16 != nullptr ? bf16->linear_grad_weight_scratch(k)
                                                   : cpu::training_kernels().linear_grad_weight_scratch(k);
    Panels grad(n, k);
    std::vector<float> scratch(static_cast<size_t>(scratch_floats));
    for (int64_t panel = 0; panel < grad.count; panel += parts) {
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
            args.panel_begin = panel;
            args.panel_end = std::min(panel + parts, grad.count);
            args.k_begin = k * part / parts;
            args.k_end = k * (part + 1) / parts;
            product(args);
        }
    }
    return grad.unpack();
}

// linearGrad(input [m,k], weight [n,k], gradOutput [m,n], m, n, k, parts, bf16: boolean | 'instruction' |
// 'fma'): { output [m,n] of bf16, input [m,k], weight [n,k], bias [n] }. Throws PRECISION where bf16 has no
// kernels.
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
        std::optional<Bf16> bf16;
        if (info[7].ToBoolean()) bf16.emplace(Bf16::of(info[7]));
        const std::vector<float> of_input = bf16 ? bf16_product(*bf16, weight, grad_output, m, n, k, true)
                                                 : grad_input(weight, grad_output, m, n, k),
                                 of_weight = grad_weight(input, grad_output, m, n, k, parts,
                                                         bf16 ? &bf16->training : nullptr),
                                 output = bf16 ? bf16_product(*bf16, weight, input, m, n, k, false)
                                               : std::vector<float>();
        std::vector<float> of_bias(static_cast<size_t>(n), 0.0f);
        for (int64_t part = 0; part < std::min(parts, n); part++)
            cpu::training_kernels().column_sums(grad_output.data(), m, n, n * part / std::min(parts, n),
                                                n * (part + 1) / std::min(parts, n), of_bias.data());
        return object_of(info.Env(),
                         {{"output", output}, {"input", of_input}, {"weight", of_weight}, {"bias", of_bias}});
    });
}

// { probability, seed, microStep, site } or null
cpu::Dropout dropout_of(const Napi::Value& value) {
    cpu::Dropout dropout;
    if (value.IsNull()) return dropout;
    const Napi::Object fields = to_object(value, "dropout");
    const int64_t seed = to_int(get(fields, "seed"), "seed");
    dropout.key[0] = static_cast<uint32_t>(seed);
    dropout.key[1] = static_cast<uint32_t>(seed >> 32);
    dropout.micro_step = static_cast<uint32_t>(to_int(get(fields, "microStep"), "microStep"));
    dropout.site = static_cast<uint32_t>(to_int(get(fields, "site"), "site"));
    dropout.threshold = static_cast<uint32_t>(to_double(get(fields, "probability"), "probability") * 65536 +
                                              0.5);
    dropout.scale = 65536.0f / static_cast<float>(65536 - dropout.threshold);
    return dropout;
}

// What attentionGrad gives back.
struct AttentionGrads {
    explicit AttentionGrads(const AttentionCase& call)
        : output(static_cast<size_t>(call.tokens * call.hidden)),
          lse(static_cast<size_t>(call.tokens * call.heads)),
          qkv(call.qkv.size(), 1e30f),  // written, not added to
          table(call.table.values.size(), 0.0f),
          content(static_cast<size_t>(call.position_rows() * call.hidden)),
          position(content.size()) {}
    std::vector<float> output, lse, qkv, table, content, position;
};

void run_attention_grad(const TrainingKernels& training, AttentionCase& call, size_t sequence, int64_t head,
                        const std::vector<float>& grad_output, const cpu::Dropout& dropout, float* scratch,
                        AttentionGrads& grads) {
    const int32_t begin = call.offsets[sequence];
    cpu::AttentionTrainArgs forward;
    forward.forward = call.args(sequence, head, grads.output, scratch);
    forward.row_lse = grads.lse.data() + begin * call.heads + head;
    forward.lse_stride = call.heads;
    forward.dropout = dropout;
    forward.dropout.site += static_cast<uint32_t>(head) << 16;
    forward.first_row = static_cast<uint32_t>(begin);
    training.attention_train(forward);
    const int64_t seq_len = forward.forward.seq_len;
    std::vector<float> grad_bias(static_cast<size_t>(2 * seq_len - 1), 1e30f);
    cpu::AttentionGradArgs args;
    args.forward = forward.forward;
    args.grad_context = grad_output.data() + begin * call.hidden + head * call.head_dim;
    args.row_lse = forward.row_lse;
    args.grad_query = grads.qkv.data() + begin * 3 * call.hidden + head * call.head_dim;
    args.grad_key = args.grad_query + call.hidden;
    args.grad_value = args.grad_key + call.hidden;
    args.grad_relative_bias = call.table.present ? grad_bias.data() : nullptr;
    const int64_t part = head * call.position_rows() * call.head_dim;
    args.grad_content_to_position = call.content.present ? grads.content.data() + part : nullptr;
    args.grad_position_to_content = call.position.present ? grads.position.data() + part : nullptr;
    args.grad_stride = 3 * call.hidden;
    args.lse_stride = call.heads;
    args.dropout = forward.dropout;
    args.first_row = forward.first_row;
    training.attention_grad(args);
    for (int64_t distance = 1 - seq_len; call.table.present && distance < seq_len; distance++)
        grads.table[call.entry(distance, head)] += grad_bias[static_cast<size_t>(seq_len - 1 + distance)];
}

// attentionGrad(qkv [tokens,3,heads,headDim], cuSeqlens, heads, headDim, scale, relativeBias [buckets,heads]
// | null, gradOutput [tokens,heads*headDim], dropout | null, terms?, tables?): { output, lse [tokens,heads],
// qkv, relativeBias, contentToPosition, positionToContent [heads,rows,headDim] }; terms and tables as in
// AttentionCase.
Napi::Value attention_grad(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const TrainingKernels& training = cpu::training_kernels();
        AttentionCase call(info, info[8], info[9]);
        const std::vector<float> grad_output = to_floats(info[6], "gradOutput");
        check_count(grad_output.size(), call.tokens * call.hidden, "gradOutput");
        const cpu::Dropout dropout = dropout_of(info[7]);
        AttentionGrads grads(call);
        const int64_t floats = std::max(cpu::kernels().attention_scratch(call.largest()),
                                        training.attention_grad_scratch(call.largest()));
        const Buffer scratch(static_cast<size_t>(floats) * sizeof(float));
        const FlushDenormals flush;
        for (size_t i = 0; i + 1 < call.offsets.size(); i++)
            for (int64_t head = 0; head < call.heads; head++)
                run_attention_grad(training, call, i, head, grad_output, dropout, scratch.floats(), grads);
        return object_of(info.Env(), {{"output", grads.output},
                                      {"lse", grads.lse},
                                      {"qkv", grads.qkv},
                                      {"relativeBias", grads.table},
                                      {"contentToPosition", grads.content},
                                      {"positionToContent", grads.position}});
    });
}

}  // namespace

void define_training_linear_ops(Napi::Env env, Napi::Object& ops) {
    ops.Set("attentionGrad", Napi::Function::New(env, attention_grad));
    ops.Set("linearGrad", Napi::Function::New(env, linear_grad));
}

}  // namespace bertha::addon
