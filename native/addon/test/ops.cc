#include "addon/test/ops.h"

#include "addon/program_reader.h"
#include "addon/test/attention_case.h"
#include "addon/test/op_args.h"
#include "cpu/isa/isa.h"
#include "cpu/peak.h"
#include "engine/allocator.h"
#include "engine/floating_point.h"

namespace bertha::addon {
namespace {

using cpu::KernelTable;

// linear(input [m,k], weight [n,k], bias [n] | null, residual [m,n] | null, activation, m, n, k, precision?,
// gated?): [m,n]; gated: [m,n/2]
Napi::Value linear(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const KernelTable& kernels = cpu::kernels();
        const std::vector<float> input = to_floats(info[0], "input"), weight = to_floats(info[1], "weight");
        Floats bias = optional_floats(info[2], "bias");
        const Floats residual = optional_floats(info[3], "residual");
        const int64_t m = size_arg(info, 5, "m"), n = size_arg(info, 6, "n"), k = size_arg(info, 7, "k");
        check_count(input.size(), m * k, "input");
        check_count(weight.size(), n * k, "weight");
        if (bias.present) check_count(bias.values.size(), n, "bias");
        if (residual.present) check_count(residual.values.size(), m * n, "residual");
        const cpu::MatrixFormat& format = cpu::format_for(
            kernels, info[8].IsString() ? to_string(info[8], "precision") : "fp32");
        const bool gated = info[9].ToBoolean();  // undefined: no
        const int64_t halves = gated ? 2 : 1, columns = n / halves;
        const int64_t width = format.panel_width, panels = (columns + width - 1) / width,
                      panel_bytes = format.panel_bytes(width, k);
        bias.values.resize(static_cast<size_t>(n + 4 * width), 0.0f);
        const Buffer packed(static_cast<size_t>(halves * panels * panel_bytes));
        for (int64_t panel = 0; panel < halves * panels; panel++) {
            const int64_t row = panel / halves * width, first = panel % halves * columns + row;
            format.pack_panel(weight.data() + first * k, std::min(width, columns - row), k, nullptr,
                              packed.as<uint8_t>() + panel * panel_bytes);
        }
        std::vector<float> output(static_cast<size_t>(m * columns));
        const FlushDenormals flush;
        cpu::LinearArgs args;
        args.input = input.data();
        args.input_stride = k;
        std::vector<uint8_t> prepared(static_cast<size_t>(m * format.row_bytes(k)));
        if (!prepared.empty()) format.prepare_rows(input.data(), k, m, k, nullptr, prepared.data());
        args.prepared = prepared.data();
        args.matrix = {packed.as<uint8_t>(), panel_bytes, columns, k};
        args.bias = bias.data();
        args.residual = residual.data();
        args.output = output.data();
        args.output_stride = columns;
        args.rows = m;
        args.panel_end = panels;
        args.activation = activation_from(to_string(info[4], "activation"));
        gated ? format.gated_linear(args) : format.linear(args);
        return from_floats(info.Env(), output.data(), output.size());
    });
}

// activation(name, x): like x
Napi::Value activation(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const Activation kind = activation_from(to_string(info[0], "activation"));
        std::vector<float> x = to_floats(info[1], "x");
        const FlushDenormals flush;
        cpu::kernels().activate(kind, x.data(), static_cast<int64_t>(x.size()));
        return from_floats(info.Env(), x.data(), x.size());
    });
}

// layerNorm(x [rows,width], weight, bias | null, rows, width, eps): [rows,width]
Napi::Value layer_norm(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> x = to_floats(info[0], "x"), weight = to_floats(info[1], "weight");
        const Floats bias = optional_floats(info[2], "bias");
        const int64_t rows = size_arg(info, 3, "rows"), width = size_arg(info, 4, "width");
        check_count(x.size(), rows * width, "x");
        check_count(weight.size(), width, "weight");
        if (bias.present) check_count(bias.values.size(), width, "bias");
        std::vector<float> output(x.size());
        const FlushDenormals flush;
        cpu::kernels().layer_norm(x.data(), weight.data(), bias.data(), output.data(), rows, width,
                                  static_cast<float>(to_double(info[5], "eps")));
        return from_floats(info.Env(), output.data(), output.size());
    });
}

// attention(qkv [tokens,3,heads,headDim], cuSeqlens, heads, headDim, scale, relativeBias [buckets,heads] |
// null, bf16, terms?, tables?): { output, scores }; terms and tables as in AttentionCase. Throws PRECISION
// where bf16 is wanted of a processor without.
Napi::Value attention(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const KernelTable& kernels = cpu::kernels();
        const bool bf16 = info[6].ToBoolean();
        BERTHA_CHECK(!bf16 || kernels.attention_bf16 != nullptr, "PRECISION",
                     "bf16 needs AVX512_BF16, which this processor does not have");
        AttentionCase call(info, info[7], info[8]);
        int64_t num_scores = 0;
        for (size_t i = 1; i < call.offsets.size(); i++) {
            const int64_t seq_len = call.offsets[i] - call.offsets[i - 1];
            num_scores += call.heads * seq_len * seq_len;
        }
        const auto scratch_of = bf16 ? kernels.attention_bf16_scratch : kernels.attention_scratch;
        const Buffer scratch(static_cast<size_t>(scratch_of(call.largest())) * sizeof(float));
        std::vector<float> output(static_cast<size_t>(call.tokens * call.hidden)),
            scores(static_cast<size_t>(num_scores));
        float* next_scores = scores.data();
        const FlushDenormals flush;
        for (size_t i = 0; i + 1 < call.offsets.size(); i++) {
            for (int64_t head = 0; head < call.heads; head++) {
                cpu::AttentionArgs args = call.args(i, head, output, scratch.floats());
                args.scores = next_scores;
                (bf16 ? kernels.attention_bf16 : kernels.attention)(args);
                next_scores += args.seq_len * args.seq_len;
            }
        }
        return object_of(info.Env(), {{"output", output}, {"scores", scores}});
    });
}

// embed(ids, typeIds, cuSeqlens, word, position | null, type | null, width, positionOffset): [tokens,width]
Napi::Value embed(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<int32_t> ids = to_int32s(info[0], "ids"), type_ids = to_int32s(info[1], "typeIds");
        const std::vector<int32_t> offsets = sequence_offsets(info[2], static_cast<int64_t>(ids.size()));
        const std::vector<float> word = to_floats(info[3], "word");
        const Floats position = optional_floats(info[4], "position"), type = optional_floats(info[5], "type");
        const int64_t width = size_arg(info, 6, "width"),
                      position_offset = to_int(info[7], "positionOffset", 0, 1 << 20);
        check_count(type_ids.size(), static_cast<int64_t>(ids.size()), "typeIds");
        std::vector<int32_t> positions;
        for (size_t i = 1; i < offsets.size(); i++)
            for (int32_t row = offsets[i - 1]; row < offsets[i]; row++)
                positions.push_back(row - offsets[i - 1]);
        const auto check_rows = [&](int64_t row, const std::vector<float>& table, const char* name) {
            BERTHA_CHECK(row >= 0 && (row + 1) * width <= static_cast<int64_t>(table.size()), "INVALID_IDS",
                         "%s %lld lies outside its table", name, static_cast<long long>(row));
        };
        for (size_t i = 0; i < ids.size(); i++) {
            check_rows(ids[i], word, "id");
            if (type.present) check_rows(type_ids[i], type.values, "token type");
            if (position.present) check_rows(positions[i] + position_offset, position.values, "position");
        }
        std::vector<float> output(ids.size() * static_cast<size_t>(width));
        cpu::EmbedArgs args;
        args.ids = ids.data();
        args.type_ids = type_ids.data();
        args.positions = positions.data();
        args.word = word.data();
        args.position = position.data();
        args.type = type.data();
        args.output = output.data();
        args.rows = static_cast<int64_t>(ids.size());
        args.width = width;
        args.position_offset = position_offset;
        cpu::kernels().embed(args);
        return from_floats(info.Env(), output.data(), output.size());
    });
}

// pool(x [tokens,width], cuSeqlens, width, modes, skip | null): [sequences, width * modes]
Napi::Value pool(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const PoolCall call(info);
        std::vector<float> output(call.sequences() * static_cast<size_t>(call.width) * call.modes.Length());
        float* next = output.data();
        call.for_each([&](cpu::PoolArgs args, size_t, uint32_t) {
            args.output = next;
            cpu::kernels().pool(args);
            next += call.width;
        });
        return from_floats(info.Env(), output.data(), output.size());
    });
}

// normalize(x [rows,width], rows, width): [rows,width]
Napi::Value normalize(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> x = to_floats(info[0], "x");
        const int64_t rows = size_arg(info, 1, "rows"), width = size_arg(info, 2, "width");
        check_count(x.size(), rows * width, "x");
        std::vector<float> output(x.size());
        cpu::kernels().normalize(x.data(), output.data(), rows, width);
        return from_floats(info.Env(), output.data(), output.size());
    });
}

// topK(x [rows,width], rows, width, k): [rows, 1 + 2k] = log-sum-exp, k values, k columns
Napi::Value top_k(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const std::vector<float> x = to_floats(info[0], "x");
        const int64_t rows = size_arg(info, 1, "rows"), width = size_arg(info, 2, "width"),
                      k = to_int(info[3], "k", 1, width);
        check_count(x.size(), rows * width, "x");
        std::vector<float> output(static_cast<size_t>(rows * (1 + 2 * k)));
        cpu::kernels().top_k(x.data(), output.data(), rows, width, k);
        return from_floats(info.Env(), output.data(), output.size());
    });
}

// peak(): { precision: giga-operations of one core in a second }
Napi::Value peak(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        Napi::Object peaks = Napi::Object::New(info.Env());
        for (const cpu::Peak& each : cpu::measure_peaks()) peaks.Set(each.precision, each.giga_ops);
        return peaks;
    });
}

}  // namespace

Napi::Object define_ops(Napi::Env env) {
    Napi::Object ops = Napi::Object::New(env);
    ops.Set("linear", Napi::Function::New(env, linear));
    ops.Set("activation", Napi::Function::New(env, activation));
    ops.Set("layerNorm", Napi::Function::New(env, layer_norm));
    ops.Set("attention", Napi::Function::New(env, attention));
    ops.Set("embed", Napi::Function::New(env, embed));
    ops.Set("pool", Napi::Function::New(env, pool));
    ops.Set("normalize", Napi::Function::New(env, normalize));
    ops.Set("topK", Napi::Function::New(env, top_k));
    ops.Set("peak", Napi::Function::New(env, peak));
    return ops;
}

}  // namespace bertha::addon
