// What the tests of the native core need: seeded numbers, small programs and jobs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/check.h"
#include "engine/scheduler/job.h"
#include "engine/scheduler/scheduler.h"
#include "expect.h"
#include "text_program.h"

namespace bertha::test {

class Random {
public:
    explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
    uint32_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return static_cast<uint32_t>(state_ >> 32);
    }
    int32_t below(int32_t limit) { return static_cast<int32_t>(next() % static_cast<uint32_t>(limit)); }
    float unit() { return static_cast<float>(next()) / 4294967296.0f - 0.5f; }

private:
    uint64_t state_;
};

constexpr int32_t kVocab = 50, kHidden = 32, kHeads = 4;
// Where the program of `encoder()` keeps its values.
constexpr int32_t kStates = 4, kVectors = 5;

// One layer of an encoder, pooled: embed, qkv, attention, output with residual, LayerNorm, mean.
inline std::shared_ptr<const Program> encoder() {
    Program program = text_program(kVocab, 0, 512);
    program.values = {{kTokens, kHidden}, {kTokens, 3 * kHidden}, {kTokens, kHidden}, {kTokens, kHidden},
                      {kTokens, kHidden}, {kSequences, kHidden}};
    program.weights = {{"word", WeightKind::kTable, kVocab, kHidden},
                       {"qkv", WeightKind::kMatrix, 3 * kHidden, kHidden},
                       {"output", WeightKind::kMatrix, kHidden, kHidden},
                       {"norm", WeightKind::kVector, 1, kHidden},
                       {"bias", WeightKind::kVector, 1, kHidden}};
    ops::Embed embed;
    embed.ids = kIds;
    embed.output = 0;
    embed.word = 0;
    program.ops.emplace_back(embed);
    ops::Linear qkv;
    qkv.input = 0;
    qkv.output = 1;
    qkv.matrix = 1;
    program.ops.emplace_back(qkv);
    ops::Attention attention;
    attention.query = 1;
    attention.output = 2;
    attention.num_heads = kHeads;
    attention.softmax_scale = 0.35f;
    program.ops.emplace_back(attention);
    ops::Linear output;
    output.input = 2;
    output.output = 3;
    output.matrix = 2;
    output.residual = 0;
    program.ops.emplace_back(output);
    ops::LayerNorm norm;
    norm.input = 3;
    norm.output = kStates;
    norm.weight = 3;
    norm.bias = 4;
    norm.eps = 1e-12f;
    program.ops.emplace_back(norm);
    ops::Pool pool;
    pool.skip = kSkip;
    pool.input = kStates;
    pool.output = kVectors;
    pool.modes = {PoolMode::kMean};
    program.ops.emplace_back(pool);
    validate(program);
    return std::make_shared<const Program>(std::move(program));
}

// Seeded weights; fails with IO while `fail` is set.
class RandomSource final : public WeightSource {
public:
    explicit RandomSource(const Program& program, bool fail = false) : program_(program), fail_(fail) {}
    void read(int32_t weight, int64_t row_begin, int64_t row_end, float* dst) override {
        BERTHA_CHECK(!fail_ || row_begin == 0, "IO", "the disk is gone");
        const int64_t cols = program_.weights[static_cast<size_t>(weight)].cols;
        for (int64_t row = row_begin; row < row_end; row++) {
            Random random(static_cast<uint64_t>(weight * 1000 + row));
            for (int64_t col = 0; col < cols; col++) *dst++ = random.unit();
        }
    }

private:
    const Program& program_;
    const bool fail_;
};

// Sequences of random ids.
inline std::vector<std::vector<int32_t>> random_texts(Random& random, int count, int longest) {
    std::vector<std::vector<int32_t>> texts(static_cast<size_t>(count));
    for (auto& text : texts)
        for (int32_t left = 1 + random.below(longest); left > 0; left--) text.push_back(random.below(kVocab));
    return texts;
}

inline JobPtr make_job(const std::shared_ptr<const Model>& model, const std::vector<std::vector<int32_t>>& texts, int32_t value,
                       const Job::Allocate& allocate = nullptr) {
    std::vector<int32_t> ids, offsets{0};
    for (const auto& text : texts) {
        ids.insert(ids.end(), text.begin(), text.end());
        offsets.push_back(static_cast<int32_t>(ids.size()));
    }
    JobInputs inputs;
    inputs.inputs.resize(model->program().inputs.size());
    inputs.inputs[kIds] = {ids.data(), ids.size()};
    inputs.offsets.resize(model->program().domains.size());
    inputs.offsets[kTokens] = {offsets.data(), offsets.size()};
    inputs.wanted = {value};
    return std::make_shared<Job>(model, inputs, allocate);
}

}  // namespace bertha::test
