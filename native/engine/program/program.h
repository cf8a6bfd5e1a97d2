// A program is a model as data: a list of fused ops over values and weights. TypeScript builds it, validate()
// checks it once, and any backend can run it. Nothing here knows BERT.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/program/ops.h"

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

struct Weight {
    std::string name;
    WeightKind kind = WeightKind::kVector;
    int64_t rows = 0;
    int64_t cols = 0;
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

// Throws INVALID_PROGRAM for an option that is valid and that no kernel of the device computes.
void require_kernels(const Program& program, const std::string& device);

// Every field of the program as text: equal texts, equal programs. What is shared between equal programs, in
// memory or in files, goes by it.
std::string serialise(const Program& program);

// needed[i] is true when op i contributes to one of the wanted values.
std::vector<bool> needed_ops(const Program& program, const std::vector<int32_t>& wanted);

// The bucket of key position - query position, as T5 and MPNet define it (bidirectional, max distance 128).
int32_t relative_bucket(int32_t distance, int32_t num_buckets);

}  // namespace bertha
