// A whole model for tests and benches without Node: the program, random weights, and a caller that never interrupts.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>

#include "cuda/check.h"
#include "engine/backend.h"
#include "text_program.h"

namespace bertha::test {

// Random numbers drawn once: large shapes take tens of millions, each another part of these. A prime count keeps columns apart.
inline std::vector<float> drawn_floats(size_t count, uint32_t seed, float deviation = 1.0f) {
    static const std::vector<float> drawn = random_floats(1048573, 1);
    std::vector<float> values(count);
    size_t from = size_t{seed} * 7919 % drawn.size();
    for (float& value : values) {
        value = deviation * drawn[from];
        if (++from == drawn.size()) from = 0;
    }
    return values;
}

// A BERT encoder with a mean-pooled, normalised vector, as models/bert.ts lays it out.
inline std::shared_ptr<const Program> encoder(int32_t layers, int32_t hidden, int32_t heads, int32_t vocab_size) {
    auto program = std::make_shared<Program>(text_program(vocab_size, 2, 512));
    const auto value = [&](int64_t width, int32_t domain = kTokens) {
        program->values.push_back({domain, width});
        return static_cast<int32_t>(program->values.size() - 1);
    };
    const auto weight = [&](WeightKind kind, int64_t rows, int64_t cols) {
        program->weights.push_back({"w" + std::to_string(program->weights.size()), kind, rows, cols});
        return static_cast<int32_t>(program->weights.size() - 1);
    };
    const auto norm = [&](int32_t input) {
        ops::LayerNorm op;
        op.input = input;
        op.output = value(hidden);
        op.weight = weight(WeightKind::kVector, 1, hidden);
        op.bias = weight(WeightKind::kVector, 1, hidden);
        op.eps = 1e-12f;
        program->ops.emplace_back(op);
        return op.output;
    };
    const auto linear = [&](int32_t input, int32_t n, int32_t residual = kNoIndex, Activation activation = Activation::kNone) {
        const int64_t k = program->values[static_cast<size_t>(input)].width;
        ops::Linear op;
        op.input = input;
        op.output = value(n);
        op.matrix = weight(WeightKind::kMatrix, n, k);
        op.bias = weight(WeightKind::kVector, 1, n);
        op.residual = residual;
        op.activation = activation;
        program->ops.emplace_back(op);
        return op.output;
    };
    ops::Embed embed;
    embed.ids = kIds;
    embed.type_ids = kTypeIds;
    embed.output = value(hidden);
    embed.word = weight(WeightKind::kTable, vocab_size, hidden);
    embed.position = weight(WeightKind::kTable, 512, hidden);
    embed.type = weight(WeightKind::kTable, 2, hidden);
    program->ops.emplace_back(embed);
    int32_t x = norm(embed.output);
    for (int32_t layer = 0; layer < layers; layer++) {
        ops::Attention attention;
        attention.query = linear(x, 3 * hidden);
        attention.output = value(hidden);
        attention.num_heads = heads;
        attention.softmax_scale = 1.0f / std::sqrt(static_cast<float>(hidden / heads));
        program->ops.emplace_back(attention);
        x = norm(linear(attention.output, hidden, x));
        x = norm(linear(linear(x, 4 * hidden, kNoIndex, Activation::kGelu), hidden, x));
    }
    ops::Pool pool;
    pool.skip = kSkip;
    pool.input = x;
    pool.output = value(hidden, kSequences);
    pool.modes = {PoolMode::kMean};
    program->ops.emplace_back(pool);
    ops::Normalize normalize;
    normalize.input = pool.output;
    normalize.output = value(hidden, kSequences);
    program->ops.emplace_back(normalize);
    validate(*program);
    return program;
}

class RandomSource final : public WeightSource {
public:
    explicit RandomSource(const Program& program) : program_(program) {}
    void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) override {
        const auto count = static_cast<size_t>((row_end - row_begin) * program_.weights[static_cast<size_t>(weight)].cols);
        const auto values = drawn_floats(count, static_cast<uint32_t>(weight + 100 * row_begin), 0.03f);
        std::copy(values.begin(), values.end(), dst);
    }

private:
    const Program& program_;
};

class NoControl : public Control {
public:
    void at_op_boundary() override {}
    bool cancelled() const override { return false; }
};

}  // namespace bertha::test
