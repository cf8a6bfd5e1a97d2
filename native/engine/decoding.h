// Steps of a decoder: rows that go on from what a state holds, instead of whole sequences.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/program/program.h"

namespace bertha {

// What a text's steps read and write: keys and values [width] of its own rows, by layer, and those of its
// source.
struct DecodingText {
    float* rows = nullptr;  // [layers][capacity][2][width]
    int64_t capacity = 0;
    int64_t width = 0;
    // By layer of cross-attention: keys, then values, [num_keys, width] each.
    std::vector<const float*> cross;
    int64_t num_keys = 0;

    float* row(int64_t layer, int64_t slot) const { return rows + (layer * capacity + slot) * 2 * width; }
};

// Who wants the last value of a step's rows.
class RowReader {
public:
    // On any thread, with the row's floats, which it may overwrite. Throws nothing.
    virtual void read(int64_t row, float* values) = 0;

protected:
    ~RowReader() = default;
};

// A row of a step, which is a sequence of its own in the batch.
struct DecodingRow {
    const DecodingText* text = nullptr;
    int32_t position = 0;           // as count_positions counts it
    int32_t slot = 0;               // of the text's rows: where its own key and value go
    const int32_t* seen = nullptr;  // slots whose keys it sees, its own among them, in the order of the text
    int64_t num_seen = 0;
    RowReader* reader = nullptr;  // null: what the step computes is in the state
    int64_t number = 0;           // of the row, for the reader
};

// How a program decodes.
struct DecoderLayout {
    int32_t domain = kTokenDomain;  // of the decoder's tokens
    int32_t ids = kNoIndex;         // the input
    int32_t padding_id = kNoIndex;
    int64_t layers = 0;  // of attention to the decoder's own rows
    int64_t width = 0;   // of a key
    // Keys and values, by turns, of each attention to the source: what a source pass computes.
    std::vector<int32_t> cross_values;
    int32_t last_attention = kNoIndex;  // the value that it writes: all keys are known where it is
};

// Throws INVALID_PROGRAM for a program whose steps need more than rows and attention.
DecoderLayout decoder_layout(const Program& program, int32_t logits);

// Whether an attention reads keys of other rows than its queries.
inline bool is_cross(const Program& program, const ops::Attention& op) {
    return op.key != kNoIndex && program.value(op.key).domain != program.value(op.query).domain;
}

}  // namespace bertha
