// Attention over packed rows [tokens, 3, heads, head_dim] for the benches, and what positions change in it.
#pragma once

#include <vector>

#include "cpu/kernels.h"
#include "kernels/timing.h"

namespace bertha::bench {

// One head of the text that begins at row `begin`; output [tokens, hidden].
inline cpu::AttentionArgs packed_head(const Memory& qkv, const Memory& output, const Memory& scratch,
                                      int64_t begin, int64_t seq_len, int64_t head, int64_t head_dim,
                                      int64_t hidden) {
    cpu::AttentionArgs args;
    args.query = qkv.floats() + begin * 3 * hidden + head * head_dim;
    args.key = args.query + hidden;
    args.value = args.key + hidden;
    args.query_stride = args.key_stride = args.value_stride = 3 * hidden;
    args.context = output.floats() + begin * hidden + head * head_dim;
    args.scratch = scratch.floats();
    args.seq_len = args.num_keys = seq_len;
    args.head_dim = head_dim;
    args.hidden_size = hidden;
    args.softmax_scale = 0.1767767f;
    return args;
}

// The tables of texts of seq_len tokens: every pair of columns turns, 64 keys to either side are seen, 512
// rows of disentangled scores.
class Positions {
public:
    Positions(int64_t seq_len, int64_t head_dim)
        : head_dim_(head_dim),
          turns_(random_floats(seq_len * head_dim, 0.7f)),
          biases_(random_floats(2 * seq_len, 1.0f)),
          tables_(random_floats(2 * kRows * head_dim, 0.5f)) {
        for (int64_t distance = seq_len - 1; distance > -seq_len; distance--) {
            const int64_t row = distance + kRows / 2;
            rows_.push_back(static_cast<int32_t>(row < 0 ? 0 : row >= kRows ? kRows - 1 : row));
        }
    }
    void rotary(cpu::AttentionArgs& args) const {
        args.rotary = turns_.floats();
        args.rotary_dims = head_dim_;
    }
    void window(cpu::AttentionArgs& args) const { args.window = 64; }
    void slopes(cpu::AttentionArgs& args) const { args.relative_bias = biases_.floats(); }
    void disentangled(cpu::AttentionArgs& args) const {
        args.position_rows = rows_.data();
        args.content_to_position = tables_.floats();
        args.position_to_content = tables_.floats() + kRows * head_dim_;
        args.position_stride = head_dim_;
    }

private:
    static constexpr int64_t kRows = 512;
    const int64_t head_dim_;
    const Memory turns_, biases_, tables_;
    std::vector<int32_t> rows_;
};

}  // namespace bertha::bench
