// Tests of attention, of what turns queries and keys before it, and of the blocks that texts are dealt out to.
#pragma once

#include <algorithm>

#include "cuda/check.h"
#include "cuda/kernels/attention_blocks.h"
#include "engine/program/rotary_turns.h"

namespace bertha::test {

struct AttentionCase {
    std::vector<int32_t> lengths;
    int32_t heads, dim;
    Type type;
    bool bias, scores;
    float deviation = 1.0f;
    int32_t window = 0;  // 0: all keys
    bool slopes = false;
    bool apart = false;      // query, key and value are rows of their own
    bool first_keys = false;  // only some first rows of each sequence are keys
    int32_t pairs = 0;       // of columns that turn
    bool content = false, position = false;  // disentangled scores
    bool by_head = true;                     // with a row of a table for each head
};

inline std::string check_attention(const AttentionCase& c, std::vector<float>* bits = nullptr) {
    std::vector<int32_t> cu{0}, key_counts, places;
    std::vector<int64_t> offsets;
    int64_t num_scores = 0;
    for (int32_t length : c.lengths) {
        cu.push_back(cu.back() + length);
        key_counts.push_back(length % 3 == 0 ? 0 : (length + 1) / 2);
        for (int32_t i = 0; i < length; i++) places.push_back(i);
        offsets.push_back(num_scores);
        num_scores += int64_t{c.heads} * length * length;
    }
    const int32_t tokens = cu.back(), hidden = c.heads * c.dim;
    std::vector<float> qkv;
    for (size_t i = 0; i < c.lengths.size(); i++) {  // a sequence's values do not depend on its place
        const auto part = random_floats(static_cast<size_t>(c.lengths[i]) * 3 * hidden,
                                        static_cast<uint32_t>(c.lengths[i]), c.deviation);
        qkv.insert(qkv.end(), part.begin(), part.end());
    }
    qkv = rounded(c.type, qkv);
    std::vector<float> parts[3];
    for (int32_t token = 0; token < tokens; token++)
        for (int part = 0; part < 3; part++) {
            const auto from = qkv.begin() + (int64_t{token} * 3 + part) * hidden;
            parts[part].insert(parts[part].end(), from, from + hidden);
        }
    constexpr int32_t far = cuda::kFarthest, width = 2 * far + 1;
    const auto bias = random_floats(static_cast<size_t>(c.heads) * width, 5);
    std::vector<float> slopes, frequencies;
    for (int32_t head = 0; head < c.heads; head++) slopes.push_back(std::exp2(-1.0f - static_cast<float>(head)));
    for (int32_t i = 0; i < c.pairs; i++) frequencies.push_back(std::pow(10.0f, -static_cast<float>(i) / static_cast<float>(c.pairs)));
    const int32_t longest = *std::max_element(c.lengths.begin(), c.lengths.end());
    std::vector<float> turns(static_cast<size_t>(longest) * 2 * static_cast<size_t>(c.pairs));
    write_turns(frequencies, longest, turns.data());

    std::vector<int32_t> buckets;
    for (int32_t distance = -longest; distance <= longest; distance++) buckets.push_back(std::min(9, std::max(-9, distance)) / 2 * 2 + 8);
    const int32_t columns = c.by_head ? hidden : c.dim;
    const auto content = random_floats(static_cast<size_t>(17 * columns), 6), position = random_floats(static_cast<size_t>(17 * columns), 7);
    const DeviceArray<float> content_device(content), position_device(position);
    const DeviceInts buckets_device(buckets);

    const DeviceTensor joint(qkv, tokens, 3 * hidden, c.type), context(tokens, hidden, c.type), turned(tokens, 2 * hidden, c.type);
    const DeviceTensor apart[3] = {{parts[0], tokens, hidden, c.type}, {parts[1], tokens, hidden, c.type}, {parts[2], tokens, hidden, c.type}};
    const DeviceInts cu_device(cu), blocks(cuda::attention_blocks(cu.data(), static_cast<int64_t>(cu.size()) - 1)),
        counts_device(key_counts), places_device(places);
    const DeviceVector bias_device(bias), slopes_device(slopes);
    const DeviceArray<float> turns_device(turns);
    const DeviceArray<int64_t> offsets_device(offsets);
    const DeviceTensor scores(1, static_cast<int32_t>(num_scores), Type::kFloat);
    cuda::DeviceBatch batch;
    batch.cu_seqlens = cu_device.ints();
    batch.attention_blocks = blocks.ints();
    batch.rows = places_device.ints();
    if (c.first_keys) batch.key_counts = counts_device.ints();
    batch.batch_size = static_cast<int32_t>(c.lengths.size());
    batch.max_seq_len = longest;
    const auto heads_of = [&](int32_t part) {
        return c.apart ? cuda::HeadRows{apart[part].tensor(), 0} : cuda::HeadRows{joint.tensor(), part * hidden};
    };
    cuda::AttentionArgs args;
    args.query = heads_of(0);
    args.key = heads_of(1);
    args.value = heads_of(2);
    args.context = context.tensor();
    if (c.bias) args.relative_bias = bias_device.floats();
    if (c.slopes) args.slopes = slopes_device.floats();
    args.window = c.window;
    if (c.content) args.disentangled.content = {content_device.data(), content_device.count()};
    if (c.position) args.disentangled.position = {position_device.data(), position_device.count()};
    if (c.content || c.position) args.disentangled.buckets = buckets_device.ints();
    args.disentangled.stride = columns;
    args.disentangled.by_head = c.by_head;
    args.num_heads = c.heads;
    args.head_dim = c.dim;
    args.softmax_scale = 1.0f / std::sqrt(static_cast<float>(c.dim));
    args.scores = static_cast<float*>(scores.tensor().data);
    args.scores_offset = offsets_device.data();
    args.scores_count = num_scores;
    if (c.pairs > 0) {
        cuda::turn_heads({args.query, args.key, turned.tensor(), {turns_device.data(), turns_device.count()}, c.heads, c.dim, c.pairs},
                         batch, nullptr);
        args.query = {turned.tensor(), 0};
        args.key = {turned.tensor(), hidden};
        const std::vector<float> rows = turned.read();
        std::vector<double> expected;
        for (int32_t token = 0; token < tokens; token++)
            for (int32_t i = 0; i < 2 * hidden; i++) {
                const int32_t column = i % c.dim, first = i - column, pair = column % std::max(1, c.pairs);
                const auto at = [&](int32_t from) -> double { return qkv[static_cast<size_t>(token) * 3 * hidden + first + from]; };
                const double angle = frequencies[static_cast<size_t>(pair)] * static_cast<float>(places[static_cast<size_t>(token)]);
                expected.push_back(column >= 2 * c.pairs ? at(column)
                                   : column < c.pairs    ? at(pair) * std::cos(angle) - at(pair + c.pairs) * std::sin(angle)
                                                         : at(pair + c.pairs) * std::cos(angle) + at(pair) * std::sin(angle));
            }
        const std::string problem = compare(rows, expected, [&](size_t i) {
            return (std::fabs(expected[i]) * 1.01 * unit_roundoff(c.type) + 1e-6) * (1 + c.deviation);
        });
        if (!problem.empty()) return "turned: " + problem;
        // Attention is compared with that of the rows as they were rounded.
        for (int32_t token = 0; token < tokens; token++)
            std::copy(rows.begin() + int64_t{token} * 2 * hidden, rows.begin() + int64_t{token + 1} * 2 * hidden,
                      qkv.begin() + int64_t{token} * 3 * hidden);
    }
    cuda::attention(args, batch, nullptr);
    if (c.scores) cuda::attention_scores(args, batch, nullptr);
    const std::vector<float> actual = context.read();
    if (bits != nullptr) *bits = actual;
    std::vector<double> expected(actual.size()), tolerance(actual.size()), probabilities;
    for (size_t s = 0; s < c.lengths.size(); s++)
        for (int32_t head = 0; head < c.heads; head++)
            for (int32_t q = cu[s]; q < cu[s + 1]; q++) {
                std::vector<double> weights;
                double peak = -INFINITY, sum = 0.0;
                const auto at = [&](int32_t token, int32_t part, int32_t d) -> double {
                    return qkv[static_cast<size_t>(token) * 3 * hidden + part * hidden + head * c.dim + d];
                };
                for (int32_t key = cu[s]; key < cu[s + 1]; key++) {
                    double score = 0.0;
                    const auto row = static_cast<size_t>(buckets[static_cast<size_t>(longest + q - key)] * columns + (c.by_head ? head * c.dim : 0));
                    for (int32_t d = 0; d < c.dim; d++) {
                        score += at(q, 0, d) * at(key, 1, d);
                        if (c.content) score += at(q, 0, d) * content[row + static_cast<size_t>(d)];
                        if (c.position) score += at(key, 1, d) * position[row + static_cast<size_t>(d)];
                    }
                    score *= args.softmax_scale;
                    const int32_t distance = std::min(far, std::max(-far, key - q));
                    if (c.bias) score += bias[static_cast<size_t>(head) * width + far + distance];
                    if (c.slopes) score -= static_cast<double>(slopes[static_cast<size_t>(head)]) * std::abs(key - q);
                    const bool is_near = c.window == 0 || std::abs(key - q) <= c.window;
                    const bool is_key = !c.first_keys || key_counts[s] == 0 || key - cu[s] < key_counts[s];
                    if (!is_near || !is_key) score = -INFINITY;
                    weights.push_back(score);
                    peak = std::max(peak, score);
                }
                for (double& weight : weights) sum += weight = std::exp(weight - peak);
                for (double& weight : weights) probabilities.push_back(weight / sum);
                for (int32_t d = 0; d < c.dim; d++) {
                    double value = 0.0, size = 0.0;
                    for (int32_t key = cu[s]; key < cu[s + 1]; key++) {
                        const double term = weights[static_cast<size_t>(key - cu[s])] / sum * at(key, 2, d);
                        value += term;
                        size += std::fabs(term);
                    }
                    const size_t to = static_cast<size_t>(q) * hidden + head * c.dim + d;
                    expected[to] = value;
                    // Probabilities are rounded once, the result once; the rest is fp32, with logits up to `deviation`^2 * 8.
                    tolerance[to] = size * (2.5 * unit_roundoff(c.type) + 3e-6 * (1 + c.deviation * c.deviation)) + 1e-7;
                }
            }
    std::string problem = compare(actual, expected, [&](size_t i) { return tolerance[i]; });
    if (problem.empty() && c.scores) {
        problem = compare(scores.read(), probabilities,
                          [&](size_t i) { return 1e-5 * (1 + c.deviation * c.deviation) * probabilities[i] + 1e-9; });
        if (!problem.empty()) problem = "probabilities: " + problem;
    }
    return problem;
}

// Every query of every text is in exactly one warp, with its text's other warps beside it.
inline std::string check_attention_blocks(const std::vector<int32_t>& lengths, size_t most_blocks) {
    std::vector<int32_t> cu{0};
    for (int32_t length : lengths) cu.push_back(cu.back() + length);
    constexpr int32_t kWarps = cuda::kAttentionWarps, kOfWarp = cuda::kQueriesOfWarp, kOfBlock = kWarps * kOfWarp;
    const std::vector<int32_t> blocks = cuda::attention_blocks(cu.data(), static_cast<int64_t>(lengths.size()));
    if (blocks.size() > most_blocks * 2 * kWarps) return "expected at most " + std::to_string(most_blocks) + " blocks, got " + std::to_string(blocks.size() / (2 * kWarps));
    std::vector<int32_t> dealt(lengths.size(), 0);  // queries
    for (size_t i = 0; i < blocks.size(); i += 2) {
        const int32_t text = blocks[i], query = blocks[i + 1], warp = static_cast<int32_t>(i / 2) % kWarps;
        if (text < 0) continue;
        const int32_t length = lengths[static_cast<size_t>(text)];
        const bool is_long = length > kOfBlock;
        if (is_long ? query % kOfBlock != warp * kOfWarp : query != dealt[static_cast<size_t>(text)]) return "text " + std::to_string(text) + " is torn";
        if (!is_long && warp * kOfWarp < query) return "text " + std::to_string(text) + " begins in another block";
        dealt[static_cast<size_t>(text)] += std::max(0, std::min(kOfWarp, length - query));
    }
    return dealt == lengths ? "" : "a query is missing or twice";
}

}  // namespace bertha::test
