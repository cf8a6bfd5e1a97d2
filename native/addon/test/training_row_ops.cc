#include "addon/test/training_row_ops.h"

#include <algorithm>
#include <cmath>

#include "addon/program_reader.h"
#include "addon/test/op_args.h"
#include "cpu/isa/isa.h"
#include "cpu/training/embed_grad.h"
#include "engine/floating_point.h"

namespace bertha::addon {
namespace {

// activationGrad(name, u, grad): { input, recomputed }
Napi::Value activation_grad(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Activation kind = activation_from(to_string(info[0], "activation"));
        const std::vector<float> u = to_floats(info[1], "u");
        std::vector<float> grad = to_floats(info[2], "grad"), recomputed(u.size());
        check_count(grad.size(), static_cast<int64_t>(u.size()), "grad");
        const FlushDenormals flush;
        cpu::training_kernels().activation_grad(kind, u.data(), grad.data(), grad.data(), recomputed.data(),
                                                static_cast<int64_t>(u.size()));
        return object_of(info.Env(), {{"input", grad}, {"recomputed", recomputed}});
    });
}

// layerNormGrad(x [rows,width], weight, gradOutput, residual | null, rows, width, eps, cut, withInput): {
// input, weight, bias }; the sums of columns before and from `cut` on are made one after the other; without
// input its gradient is not made and stays 0.
Napi::Value layer_norm_grad(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> x = to_floats(info[0], "x"), weight = to_floats(info[1], "weight");
        const std::vector<float> grad_output = to_floats(info[2], "gradOutput");
        const Floats residual = optional_floats(info[3], "residual");
        cpu::LayerNormGradArgs args;
        args.rows = size_arg(info, 4, "rows");
        args.width = size_arg(info, 5, "width");
        args.eps = float_arg(info, 6, "eps");
        const int64_t cut = to_int(info[7], "cut", 0, args.width), numbers = args.rows * args.width;
        check_count(x.size(), numbers, "x");
        check_count(weight.size(), args.width, "weight");
        check_count(grad_output.size(), numbers, "gradOutput");
        if (residual.present) check_count(residual.values.size(), numbers, "residual");
        std::vector<float> stats(static_cast<size_t>(args.rows * cpu::kNormStats)), input(x.size()),
            grad_weight(weight.size()), grad_bias(weight.size());
        args.input = x.data();
        args.grad_output = grad_output.data();
        args.weight = weight.data();
        args.residual = residual.data();
        args.grad_input = info[8].ToBoolean() ? input.data() : nullptr;
        args.stats = stats.data();
        const FlushDenormals flush;
        cpu::training_kernels().layer_norm_grad(args);
        for (const auto& [begin, end] : {std::pair(int64_t{0}, cut), std::pair(cut, args.width)})
            cpu::training_kernels().layer_norm_grad_weight(args, begin, end, grad_weight.data(),
                                                           grad_bias.data());
        return object_of(info.Env(), {{"input", input}, {"weight", grad_weight}, {"bias", grad_bias}});
    });
}

// dropout(x [rows,width], residual | null, rows, width, firstRow, { key: [low, high], microStep, site,
// threshold }): [rows,width]
Napi::Value dropout(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        std::vector<float> x = to_floats(info[0], "x");
        const Floats residual = optional_floats(info[1], "residual");
        const int64_t rows = size_arg(info, 2, "rows"), width = size_arg(info, 3, "width");
        check_count(x.size(), rows * width, "x");
        if (residual.present) check_count(residual.values.size(), rows * width, "residual");
        const Napi::Object options = to_object(info[5], "options");
        const Napi::Array key = to_array(get(options, "key"), "key");
        const auto word = [](const Napi::Value& value, const char* name) {
            return static_cast<uint32_t>(to_int(value, name, 0, UINT32_MAX));
        };
        cpu::Dropout site;
        site.key[0] = word(key.Get(0u), "key");
        site.key[1] = word(key.Get(1u), "key");
        site.micro_step = word(get(options, "microStep"), "microStep");
        site.site = word(get(options, "site"), "site");
        site.threshold = static_cast<uint32_t>(to_int(get(options, "threshold"), "threshold", 0, 65535));
        site.scale = 65536.0f / static_cast<float>(65536 - site.threshold);
        cpu::training_kernels().dropout(x.data(), residual.data(), x.data(), rows, width,
                                        word(info[4], "firstRow"), site);
        return from_floats(info.Env(), x.data(), x.size());
    });
}

// addRows(x [rows,width], order, width, start [width], scale): [width]
Napi::Value add_rows(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> x = to_floats(info[0], "x");
        const std::vector<int32_t> order = to_int32s(info[1], "order");
        const int64_t width = size_arg(info, 2, "width");
        std::vector<float> sums = to_floats(info[3], "start");
        check_count(sums.size(), width, "start");
        for (const int32_t row : order)
            BERTHA_CHECK(row >= 0 && (row + 1) * width <= static_cast<int64_t>(x.size()), "INVALID_ARG",
                         "row %d is not in x", row);
        cpu::training_kernels().add_rows(x.data(), order.data(), static_cast<int64_t>(order.size()), width,
                                         float_arg(info, 4, "scale"), sums.data());
        return from_floats(info.Env(), sums.data(), sums.size());
    });
}

// lookupGrad(gradOutput [rows,width], keys, tableRows, width, keyOffset, frozenRow, scale):
// [tableRows,width]
Napi::Value lookup_grad(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> grad_output = to_floats(info[0], "gradOutput");
        const std::vector<int32_t> keys = to_int32s(info[1], "keys");
        const int64_t table_rows = size_arg(info, 2, "tableRows");
        cpu::LookupGradArgs args;
        args.rows = static_cast<int64_t>(keys.size());
        args.width = size_arg(info, 3, "width");
        args.key_offset = to_int(info[4], "keyOffset", 0, table_rows);
        args.frozen_row = to_int(info[5], "frozenRow", -1, table_rows);
        args.scale = float_arg(info, 6, "scale");
        check_count(grad_output.size(), args.rows * args.width, "gradOutput");
        for (const int32_t key : keys)
            BERTHA_CHECK(key >= 0 && key + args.key_offset < table_rows, "INVALID_ARG",
                         "row %d is not in the table", key);
        std::vector<float> table(static_cast<size_t>(table_rows * args.width));
        args.grad_output = grad_output.data();
        args.keys = keys.data();
        args.grad_table = table.data();
        Solo solo;
        cpu::lookup_grad(args, solo);
        return from_floats(info.Env(), table.data(), table.size());
    });
}

// scatterRows(gradOutput [places,width], places, rows, width): [rows,width]
Napi::Value scatter_rows(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> grad_output = to_floats(info[0], "gradOutput");
        const std::vector<int32_t> places = to_int32s(info[1], "places");
        const int64_t rows = size_arg(info, 2, "rows"), width = size_arg(info, 3, "width"),
                      count = static_cast<int64_t>(places.size());
        check_count(grad_output.size(), count * width, "gradOutput");
        for (const int32_t place : places)
            BERTHA_CHECK(place >= 0 && place < rows, "INVALID_ARG", "row %d does not exist", place);
        std::vector<float> grad_input(static_cast<size_t>(rows * width), 1.0f);
        cpu::scatter_rows(grad_output.data(), places.data(), count, width, grad_input.data(), rows);
        return from_floats(info.Env(), grad_input.data(), grad_input.size());
    });
}

// add(a, b): like a
Napi::Value add(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        std::vector<float> a = to_floats(info[0], "a");
        const std::vector<float> b = to_floats(info[1], "b");
        check_count(b.size(), static_cast<int64_t>(a.size()), "b");
        cpu::training_kernels().add(a.data(), b.data(), a.data(), static_cast<int64_t>(a.size()));
        return from_floats(info.Env(), a.data(), a.size());
    });
}

// poolGrad(x [tokens,width], cuSeqlens, width, modes, skip | null, gradOutput [sequences, width * modes]):
// [tokens,width]
Napi::Value pool_grad(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const PoolCall call(info);
        const std::vector<float> grad_output = to_floats(info[5], "gradOutput");
        check_count(grad_output.size(),
                    static_cast<int64_t>(call.sequences()) * call.width * call.modes.Length(), "gradOutput");
        std::vector<float> grad_input(call.x.size());
        const float* grad = grad_output.data();
        call.for_each([&](const cpu::PoolArgs& args, size_t i, uint32_t mode) {
            float* input = grad_input.data() + call.offsets[i] * call.width;
            cpu::training_kernels().pool_grad(args, grad, input, mode > 0);
            grad += call.width;
        });
        return from_floats(info.Env(), grad_input.data(), grad_input.size());
    });
}

// normalizeGrad(x [rows,width], gradOutput, rows, width): [rows,width]
Napi::Value normalize_grad(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> x = to_floats(info[0], "x");
        std::vector<float> grad = to_floats(info[1], "gradOutput");
        const int64_t rows = size_arg(info, 2, "rows"), width = size_arg(info, 3, "width");
        check_count(x.size(), rows * width, "x");
        check_count(grad.size(), rows * width, "gradOutput");
        const FlushDenormals flush;
        cpu::training_kernels().normalize_grad(x.data(), grad.data(), grad.data(), rows, width);
        return from_floats(info.Env(), grad.data(), grad.size());
    });
}

// sumOfSquares(x): number
Napi::Value sum_of_squares(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> x = to_floats(info[0], "x");
        return Napi::Number::New(
            info.Env(), cpu::training_kernels().sum_of_squares(x.data(), static_cast<int64_t>(x.size())));
    });
}

// adamw(value, grad | null, m, v, { gradScale, learningRate, beta1, beta2, epsilon, weightDecay, step },
// part): { value, m, v }; `part` numbers are updated at a time.
Napi::Value adamw(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        std::vector<float> value = to_floats(info[0], "value"), m = to_floats(info[2], "m"),
                           v = to_floats(info[3], "v");
        const Floats grad = optional_floats(info[1], "grad");
        const auto count = static_cast<int64_t>(value.size());
        check_count(m.size(), count, "m");
        check_count(v.size(), count, "v");
        if (grad.present) check_count(grad.values.size(), count, "grad");
        const Napi::Object options = to_object(info[4], "options");
        const auto option = [&](const char* name) { return to_double(get(options, name), name); };
        const int64_t part = size_arg(info, 5, "part");
        cpu::AdamwArgs args;
        args.grad_scale = static_cast<float>(option("gradScale"));
        args.learning_rate = option("learningRate");
        args.beta1 = option("beta1");
        args.beta2 = option("beta2");
        args.epsilon = option("epsilon");
        args.weight_decay = option("weightDecay");
        args.bias_correction1 = 1.0 - std::pow(args.beta1, option("step"));
        args.bias_correction2 = 1.0 - std::pow(args.beta2, option("step"));
        const FlushDenormals flush;
        for (int64_t begin = 0; begin < count; begin += part) {
            args.value = value.data() + begin;
            args.grad = grad.present ? grad.data() + begin : nullptr;
            args.m = m.data() + begin;
            args.v = v.data() + begin;
            args.count = std::min(part, count - begin);
            cpu::training_kernels().adamw(args);
        }
        return object_of(info.Env(), {{"value", value}, {"m", m}, {"v", v}});
    });
}

}  // namespace

void define_training_row_ops(Napi::Env env, Napi::Object& ops) {
    ops.Set("activationGrad", Napi::Function::New(env, activation_grad));
    ops.Set("layerNormGrad", Napi::Function::New(env, layer_norm_grad));
    ops.Set("dropout", Napi::Function::New(env, dropout));
    ops.Set("addRows", Napi::Function::New(env, add_rows));
    ops.Set("lookupGrad", Napi::Function::New(env, lookup_grad));
    ops.Set("scatterRows", Napi::Function::New(env, scatter_rows));
    ops.Set("add", Napi::Function::New(env, add));
    ops.Set("poolGrad", Napi::Function::New(env, pool_grad));
    ops.Set("normalizeGrad", Napi::Function::New(env, normalize_grad));
    ops.Set("sumOfSquares", Napi::Function::New(env, sum_of_squares));
    ops.Set("adamw", Napi::Function::New(env, adamw));
}

}  // namespace bertha::addon
