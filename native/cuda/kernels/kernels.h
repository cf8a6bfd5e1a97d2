// What the backend may ask of the device, one function per kernel. Each queues its work on the stream and
// returns. Rows are `stride` elements apart, a multiple of 8, so that rows start on 16 bytes; what lies
// between a row's width and its stride is never interpreted.
#pragma once

#include <cstdint>

#include "cuda/launch.h"
#include "engine/program/op_options.h"

namespace bertha::cuda {

enum class Type : int32_t { kFloat, kHalf, kBfloat16 };
constexpr int64_t bytes_of(Type type) { return type == Type::kFloat ? 4 : 2; }

// [rows, width] on the device, or nothing.
struct Tensor {
    void* data = nullptr;
    int64_t rows = 0;
    int32_t width = 0;
    int32_t stride = 0;
    Type type = Type::kFloat;
    int64_t elements() const { return rows * stride; }
};

struct Floats {
    const float* data = nullptr;
    int64_t count = 0;
};
struct Ints {
    const int32_t* data = nullptr;
    int64_t count = 0;
};

// The packed batch on the device.
struct DeviceBatch {
    Ints input_ids;         // [tokens]
    Ints token_type_ids;    // [tokens]
    Ints positions;         // [tokens]
    Ints cu_seqlens;        // [batch_size + 1]
    Ints attention_blocks;  // of attention_blocks.h, read in 16 bits
    Ints pool_skip;         // [batch_size]
    Ints key_counts;        // [batch_size]: the first rows that are keys, 0 for all; or none
    Ints rows;              // [tokens]: of each token its row in its sequence
    Ints selected;          // [selected]
    Ints targets;           // [selected, kTargetsPerRow]
    int32_t batch_size = 0;
    int32_t max_seq_len = 0;
};

// output = activation(input · weightᵀ + bias) + residual; gated: activation(a) ∘ b, where groups of
// kGateColumns rows of the weight, and numbers of the bias, give columns of a and of b by turns.
struct LinearArgs {
    Tensor input;     // [m, k]
    Tensor weight;    // [n, k], the input's type
    Floats bias;      // [n] or none
    Tensor residual;  // [m, n], the output's type, or none
    Tensor output;    // [m, n], the input's type or float; gated: [m, n / 2 or less], the input's type
    Activation activation = Activation::kNone;
    bool gated = false;
};
constexpr int32_t kGateColumns = 4;
// Parts that k is cut into and whose sums are added in order. Depends on (n, k) alone: a row's bits depend
// neither on the number of rows nor on which kernel ran.
int32_t k_parts(int64_t n, int64_t k);
// Whether m rows are few enough for linear_small.
bool is_small(int64_t m, int64_t n, int64_t k);
void linear(const LinearArgs& args, Stream stream);  // picks one of the next three
void linear_fp32(const LinearArgs& args, Stream stream);
void linear_small(const LinearArgs& args, Stream stream);
void linear_parts(const LinearArgs& args, Stream stream);  // linear_small's way with more than one part
void linear_mma(const LinearArgs& args, Stream stream);

// [tokens, num_heads * head_dim]: columns of wider rows.
struct HeadRows {
    Tensor rows;
    int32_t begin = 0;  // the first of the columns
};

// Disentangled scores (DeBERTa, relative keys), in fp32: query · content[row] + key · position[row] come to
// the product of query and key before it is scaled, row = buckets[farthest + query's place - key's].
struct DisentangledArgs {
    Floats content, position;  // [rows, stride], either may be absent
    Ints buckets;              // [2 * farthest + 1]
    int32_t stride = 0;
    bool by_head = false;  // each head has head_dim columns of its own; else one row for all
};

constexpr int32_t kFarthest = 128;  // distances beyond it share the last bucket of a relative bias
struct AttentionArgs {
    HeadRows query, key, value;
    Tensor context;        // [tokens, num_heads * head_dim]
    Floats relative_bias;  // [num_heads, 2 * kFarthest + 1] by key - query, or none
    Floats slopes;         // [num_heads]: slopes[head] · |key - query| is taken off; or none
    int32_t window = 0;    // the farthest key that a query sees; 0: all
    DisentangledArgs disentangled;
    float* scores = nullptr;
    const int64_t* scores_offset = nullptr;  // [batch_size + 1] on the device: where each sequence's scores
                                             // start
    int64_t scores_count = 0;
    int32_t num_heads = 0;
    int32_t head_dim = 0;
    float softmax_scale = 0.0f;
};
constexpr int32_t kMaxHeadDim = 128;
void attention(const AttentionArgs& args, const DeviceBatch& batch, Stream stream);
void attention_fp32(const AttentionArgs& args, const DeviceBatch& batch, Stream stream);
void attention_mma(const AttentionArgs& args, const DeviceBatch& batch, Stream stream);
// Queries and keys turned by their positions (RoPE), in the rows that output has of both, [tokens, 2 *
// num_heads * head_dim]. turns [positions, 2, pairs]: cosines, then sines of the angles (rotary_turns.h).
struct TurnArgs {
    HeadRows query, key;
    Tensor output;
    Floats turns;
    int32_t num_heads = 0;
    int32_t head_dim = 0;
    int32_t pairs = 0;
};
void turn_heads(const TurnArgs& args, const DeviceBatch& batch, Stream stream);
// Probabilities, ragged: per sequence [num_heads, seq_len, seq_len].
void attention_scores(const AttentionArgs& args, const DeviceBatch& batch, Stream stream);

struct EmbedArgs {
    Tensor word, position, type;  // tables of the output's type; the last two may be absent
    int32_t position_offset = 0;
};
void embed(const EmbedArgs& args, const DeviceBatch& batch, const Tensor& output, Stream stream);
void layer_norm(const Tensor& input, Floats weight, Floats bias, float eps, const Tensor& output,
                Stream stream);
// What layer_norm makes of embed's rows, to the bit, in one kernel. Rows of at most kMaxEmbedNormWidth
// columns.
constexpr int32_t kMaxEmbedNormWidth = 1024;
void embed_layer_norm(const EmbedArgs& args, Floats weight, Floats bias, float eps, const DeviceBatch& batch,
                      const Tensor& output, Stream stream);
// rows[i], or with `first_token` the first row of sequence i.
void gather_rows(const Tensor& input, bool first_token, const DeviceBatch& batch, const Tensor& output,
                 Stream stream);
// With `normalizes` what normalize makes of pool's rows, to the bit, in one kernel: output rows of at most
// kMaxPoolNormalizeWidth columns.
constexpr int32_t kMaxPoolNormalizeWidth = 8192;
void pool(const Tensor& input, const PoolMode* modes, int32_t num_modes, bool normalizes,
          const DeviceBatch& batch, const Tensor& output, Stream stream);
void normalize(const Tensor& input, const Tensor& output, Stream stream);
// activation(input) + residual, element by element; gated: activation(a) ∘ b of input = [a, b]. The residual
// has the output's type, or is not there.
void activate(const Tensor& input, Activation activation, bool gated, const Tensor& residual,
              const Tensor& output, Stream stream);
// Columns from `begin` on.
void slice(const Tensor& input, int32_t begin, const Tensor& output, Stream stream);
// Column c * size + j is column c of the token j - size / 2 further on in its sequence, 0 where there is
// none.
void unfold(const Tensor& input, int32_t size, const DeviceBatch& batch, const Tensor& output, Stream stream);

constexpr int32_t kPoolLinearColumns = 2048;  // whose products are kept at a time
struct PoolLinearArgs {
    Tensor input;     // [tokens, k]
    Tensor weight;    // [n, k], the input's type
    Floats bias;      // [n] or none
    Tensor products;  // fp32 [tokens, n or kPoolLinearColumns], to work in
    Tensor output;    // fp32 [batch_size, n]
    bool sums = false;
    int32_t logs = 1;
};
// max, or sum, over a sequence's tokens of log(1 + max(x, 0)), x = input · weightᵀ + bias; of log(1 + that)
// for two logs.
void pool_linear(const PoolLinearArgs& args, const DeviceBatch& batch, Stream stream);
void top_k(const Tensor& input, int32_t k, const Tensor& output, Stream stream);
void pick_targets(const Tensor& input, const DeviceBatch& batch, const Tensor& output, Stream stream);
// Rows as fp32 without gaps: [rows, width].
void compact(const Tensor& input, float* output, Stream stream);

}  // namespace bertha::cuda
