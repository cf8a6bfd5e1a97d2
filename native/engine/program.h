// A program is a model as data: a list of fused ops over values and weights. TypeScript builds it, validate()
// checks it once, and any backend can run it. Nothing here knows BERT.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bertha {

// What one row of a value stands for; the number of rows is known per batch.
enum class Rows : int32_t {
    kTokens,     // one row per packed token                          [tokens, width]
    kSequences,  // one row per sequence                              [batch_size, width]
    kSelected,   // one row per token position that the caller names  [selected, width]
    kScores,  // attention probabilities, ragged                   per sequence [num_heads, seq_len, seq_len]
};

struct Value {
    Rows rows = Rows::kTokens;
    int64_t width = 0;  // columns; for kScores the number of heads
};

// How a weight is used decides how a backend stores it.
enum class WeightKind : int32_t {
    kMatrix,  // [rows, cols] = [out, in] of a linear; backends repack or quantise it
    kTable,   // [rows, cols], rows are looked up
    kVector,  // [1, cols]: bias, LayerNorm weight
};

struct Weight {
    std::string name;
    WeightKind kind = WeightKind::kVector;
    int64_t rows = 0;
    int64_t cols = 0;
};

enum class Activation : int32_t {
    kNone,
    kGelu,
    kGeluTanh,
    kRelu,
    kSilu,
    kTanh,
    kSigmoid,
    kQuickGelu,
    kRelu6,
    kReluSquared,
    kLeakyRelu,
    kMish
};

enum class PoolMode : int32_t { kCls, kMean, kMax, kMeanSqrtLen, kWeightedMean, kLastToken };

enum class OpKind : int32_t {
    kEmbed,       // output [tokens, h] = word[id] (+ position[i + position_offset]) (+ type[type_id])
    kLinear,      // output [rows, n] = activation(input [rows, k] · matrixᵀ + bias) + residual [rows, n]
    kAttention,   // output [tokens, h] from input = qkv [tokens, 3, num_heads, head_dim]; scores optional
    kLayerNorm,   // output [rows, h] = (input - mean) / sqrt(variance + eps) * weight + bias
    kGatherRows,  // output [batch_size, h] = first token of each sequence, or [selected, h] = the positions
                  // the caller names
    kPool,        // output [batch_size, h * modes] from input [tokens, h]; skips each sequence's first `skip`
                  // tokens
    kNormalize,   // output [rows, h] = input / max(|input|₂, 1e-12)
    kTopK,  // output [rows, 1 + 2k] from input [rows, n]: log-sum-exp, the k largest, their columns; ties:
            // lower column
    kPickTargets,  // output [selected, 1 + kTargetsPerRow] from input [selected, vocab_size]: log-sum-exp,
                   // then the columns that the caller names for the row
};

constexpr int32_t kNoIndex = -1;
constexpr int32_t kTargetsPerRow = 16;  // columns that pick_targets takes from each row

// One op. Indices point into Program::values and Program::weights; kNoIndex = absent.
struct Op {
    OpKind kind = OpKind::kLinear;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t residual = kNoIndex;  // value: linear
    int32_t scores = kNoIndex;    // value: attention
    int32_t weight = kNoIndex;    // matrix of linear; LayerNorm weight; word table of embed
    int32_t bias = kNoIndex;      // of linear, LayerNorm
    // Vector [1, k] of linear, positive: formats that round their input divide column i of it by
    // input_scale[i] and multiply column i of the matrix, so that no column wastes the grid of a row.
    int32_t input_scale = kNoIndex;
    int32_t position_table = kNoIndex;
    int32_t type_table = kNoIndex;
    int32_t relative_bias = kNoIndex;  // table [num_buckets, num_heads] of attention, added to the scaled
                                       // scores (MPNet)
    Activation activation = Activation::kNone;
    int32_t num_heads = 0;
    int32_t position_offset = 0;
    int32_t k = 0;
    float eps = 0.0f;
    float softmax_scale = 0.0f;
    bool first_token = false;  // gather_rows: the first token of each sequence instead of named positions
    std::vector<PoolMode> modes;
};

struct Program {
    std::vector<Value> values;
    std::vector<Weight> weights;
    std::vector<Op> ops;  // in order of execution; each value is written by exactly one op, before it is read
    int64_t vocab_size = 0;
    int64_t type_vocab_size = 0;
    int64_t padding_id = kNoIndex;  // token that positions do not count, at row position_offset - 1 (MPNet)
    int64_t max_seq_len = 0;        // longest sequence that the position table allows
};

// Throws INVALID_PROGRAM with the op's index and what was expected and got. After it, no op can index out of
// bounds.
void validate(const Program& program);

// needed[i] is true when op i contributes to one of the wanted values.
std::vector<bool> needed_ops(const Program& program, const std::vector<int32_t>& wanted);

// The bucket of key position - query position, as T5 and MPNet define it (bidirectional, max distance 128).
int32_t relative_bucket(int32_t distance, int32_t num_buckets);

const char* op_name(OpKind kind);
// True when row i of the output depends on row i of the inputs alone, so that an op may run on any block of
// rows.
bool is_row_wise(OpKind kind);

}  // namespace bertha
