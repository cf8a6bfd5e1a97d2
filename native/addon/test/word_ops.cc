#include "addon/test/word_ops.h"

#include "addon/test/op_args.h"
#include "cpu/isa/isa.h"
#include "cpu/word-vectors/subwords.h"
#include "cpu/word-vectors/training/huffman.h"
#include "cpu/word-vectors/training/sampling.h"

namespace bertha::addon {
namespace {

// A table [rows, dimensions] with padded rows, as the kernels take it.
class PaddedTable {
public:
    PaddedTable(const std::vector<float>& values, int64_t dimensions)
        : dimensions_(dimensions),
          width_(cpu::row_width(dimensions)),
          count_(static_cast<int64_t>(values.size()) / dimensions),
          rows_(static_cast<size_t>(count_ * width_)) {
        for (int64_t i = 0; i < count_; i++)
            std::copy_n(values.data() + i * dimensions, dimensions, rows_.data() + i * width_);
    }
    int64_t width() const { return width_; }
    std::vector<float*> rows(const std::vector<int32_t>& numbers) {
        std::vector<float*> rows;
        for (const int32_t number : numbers) {
            BERTHA_CHECK(number >= 0 && number < count_, "INVALID_ARG", "row %d is not in the table", number);
            rows.push_back(rows_.data() + number * width_);
        }
        return rows;
    }
    Napi::Float32Array to_js(Napi::Env env) const {
        Napi::Float32Array array = Napi::Float32Array::New(env, static_cast<size_t>(count_ * dimensions_));
        for (int64_t i = 0; i < count_; i++)
            std::copy_n(rows_.data() + i * width_, dimensions_, array.Data() + i * dimensions_);
        return array;
    }

private:
    const int64_t dimensions_, width_, count_;
    std::vector<float> rows_;
};

Napi::Object tables(Napi::Env env, const PaddedTable& input, const PaddedTable& output) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("input", input.to_js(env));
    result.Set("output", output.to_js(env));
    return result;
}

// windowStep(input [rows,d], output [rows,d], d, sources, targets, labels, rate, times [sources,targets]?,
// leavesGradients?), hiddenStep(…, groupEnds?): { input, output }
template <bool kWindow>
Napi::Value word_step(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const int64_t dimensions = size_arg(info, 2, "dimensions");
        PaddedTable input(to_floats(info[0], "input"), dimensions),
            output(to_floats(info[1], "output"), dimensions);
        const std::vector<float*> sources = input.rows(to_int32s(info[3], "sources")),
                                  targets = output.rows(to_int32s(info[4], "targets"));
        const std::vector<float> labels = to_floats(info[5], "labels");
        check_count(labels.size(), static_cast<int64_t>(targets.size()), "labels");
        const auto m = static_cast<int64_t>(sources.size()), t = static_cast<int64_t>(targets.size());
        const int64_t width = input.width();
        const float rate = float_arg(info, 6, "rate");
        const cpu::WordKernels& kernels = cpu::word_kernels();
        if (kWindow) {
            std::vector<float> scratch(static_cast<size_t>(cpu::window_scratch(m, t, width)));
            std::vector<float> times(static_cast<size_t>(m * t), 1.0f);
            if (!info[7].IsUndefined()) times = to_floats(info[7], "times");
            check_count(times.size(), m * t, "times");
            kernels.window_step({sources.data(), targets.data(), labels.data(), m, t, width, rate,
                                 scratch.data(), info[7].IsUndefined() ? nullptr : times.data(),
                                 info[8].ToBoolean().Value()});
        } else {
            std::vector<float> hidden(static_cast<size_t>(width)), gradient(hidden.size()),
                errors(labels.size());
            kernels.gather_rows(sources.data(), m, width, 1.0f / static_cast<float>(m), hidden.data());
            const std::vector<float> start = hidden;
            std::vector<int32_t> ends;
            if (!info[7].IsUndefined()) ends = to_int32s(info[7], "groupEnds");
            BERTHA_CHECK(ends.empty() || ends.back() == t, "INVALID_ARG", "groups must end with the targets");
            kernels.hidden_step({hidden.data(), targets.data(), labels.data(), t, width, rate,
                                 gradient.data(), errors.data(), ends.data(),
                                 static_cast<int64_t>(ends.size())});
            for (size_t z = 0; !ends.empty() && z < hidden.size(); z++) gradient[z] = hidden[z] - start[z];
            kernels.scatter_rows(gradient.data(), width, 1.0f, sources.data(), m);
        }
        return tables(info.Env(), input, output);
    });
}

Napi::Array to_array_of(Napi::Env env, const std::vector<double>& values) {
    Napi::Array array = Napi::Array::New(env, values.size());
    for (size_t i = 0; i < values.size(); i++) array.Set(static_cast<uint32_t>(i), values[i]);
    return array;
}

// ngramRows(words, hashes): the row of each n-gram behind those of so many words
Napi::Value ngram_rows(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        cpu::NgramRows rows(to_int(info[0], "words", 0, INT32_MAX));
        std::vector<double> numbers;
        for (const int32_t hash : to_int32s(info[1], "hashes")) numbers.push_back(rows.row_of(hash));
        return to_array_of(info.Env(), numbers);
    });
}

// gloveStep(word [d + 1], wordSums, context, contextSums, logCount, weight, eta, clip): { word, wordSums,
// context, contextSums, cost }; the bias is the last number
Napi::Value glove_step(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const char* names[] = {"word", "wordSums", "context", "contextSums"};
        std::vector<float> values[4];
        size_t count = 0;
        for (size_t i = 0; i < 4; i++) {
            values[i] = to_floats(info[i], names[i]);
            count = values[i].size();
            values[i].resize(static_cast<size_t>(cpu::row_width(static_cast<int64_t>(count))),
                             i % 2 == 0 ? 0.0f : 1.0f);
        }
        const cpu::GloveRecord record{0, 0, float_arg(info, 4, "logCount"), float_arg(info, 5, "weight")};
        cpu::GloveSteps steps{values[0].data(), values[1].data(), values[2].data(), values[3].data()};
        steps.records = &record;
        steps.count = 1;
        steps.width = static_cast<int64_t>(values[0].size());
        steps.bias = static_cast<int64_t>(count) - 1;
        steps.eta = float_arg(info, 6, "eta");
        steps.clip = float_arg(info, 7, "clip");
        Napi::Object result = Napi::Object::New(info.Env());
        result.Set("cost", cpu::word_kernels().glove_steps(steps));
        for (size_t i = 0; i < 4; i++) result.Set(names[i], from_floats(info.Env(), values[i].data(), count));
        return result;
    });
}

std::vector<int64_t> to_counts(const Napi::Value& value) {
    std::vector<int64_t> counts;
    for (const int32_t count : to_int32s(value, "counts")) counts.push_back(count);
    return counts;
}

// huffman(counts): { begin, points, codes }, arrays
Napi::Value huffman(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const cpu::HuffmanTree tree = cpu::make_huffman_tree(to_counts(info[0]));
        Napi::Object result = Napi::Object::New(info.Env());
        result.Set("begin", to_array_of(info.Env(), {tree.begin.begin(), tree.begin.end()}));
        result.Set("points", to_array_of(info.Env(), {tree.points.begin(), tree.points.end()}));
        result.Set("codes", to_array_of(info.Env(), {tree.codes.begin(), tree.codes.end()}));
        return result;
    });
}

// negativeProbabilities(counts, power), keepProbabilities(counts, sample): arrays
Napi::Value negative_probabilities(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        const cpu::AliasSampler sampler(to_counts(info[0]), to_double(info[1], "power"));
        return to_array_of(info.Env(), sampler.probabilities());
    });
}

Napi::Value keep_probabilities(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
        return to_array_of(info.Env(),
                           cpu::keep_probabilities(to_counts(info[0]), to_double(info[1], "sample")));
    });
}

}  // namespace

Napi::Object define_test_word_ops(Napi::Env env) {
    Napi::Object ops = Napi::Object::New(env);
    ops.Set("windowStep", Napi::Function::New(env, word_step<true>));
    ops.Set("ngramRows", Napi::Function::New(env, ngram_rows));
    ops.Set("hiddenStep", Napi::Function::New(env, word_step<false>));
    ops.Set("gloveStep", Napi::Function::New(env, glove_step));
    ops.Set("huffman", Napi::Function::New(env, huffman));
    ops.Set("negativeProbabilities", Napi::Function::New(env, negative_probabilities));
    ops.Set("keepProbabilities", Napi::Function::New(env, keep_probabilities));
    return ops;
}

}  // namespace bertha::addon
