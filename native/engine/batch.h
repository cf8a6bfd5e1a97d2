// A packed batch: sequences lie end to end, never padded.
#pragma once

#include <cstdint>
#include <vector>

namespace bertha {

struct Batch {
    const int32_t* input_ids = nullptr;       // [tokens]
    const int32_t* token_type_ids = nullptr;  // [tokens]
    const int32_t* cu_seqlens = nullptr;      // [batch_size + 1]; sequence i is rows cu_seqlens[i] ..
                                              // cu_seqlens[i + 1]
    const int32_t* pool_skip = nullptr;       // [batch_size] tokens that pooling leaves out, or null
    const int32_t* selected = nullptr;        // [selected] rows of the packed batch, for gather_rows, or null
    const int32_t* cu_selected = nullptr;     // [batch_size + 1], or null
    const int32_t* targets = nullptr;         // [selected, kTargetsPerRow] columns for pick_targets, or null
    int64_t tokens = 0;
    int64_t batch_size = 0;
    int64_t num_selected = 0;
    int32_t max_seq_len = 0;
};

// positions [tokens]: each token's place in its sequence. Tokens equal to padding_id (a text may hold them)
// are not counted and stand at -1; with a padding_id below 0 every token counts.
inline void count_positions(const Batch& batch, int64_t padding_id, int32_t* positions) {
    for (int64_t i = 0; i < batch.batch_size; i++) {
        int32_t next = 0;
        for (int32_t row = batch.cu_seqlens[i]; row < batch.cu_seqlens[i + 1]; row++)
            positions[row] = batch.input_ids[row] == padding_id ? -1 : next++;
    }
}

// Where one wanted value goes. Rows of the batch in order; ragged scores one sequence after the other.
struct Output {
    int32_t value = 0;
    float* data = nullptr;
};

}  // namespace bertha
